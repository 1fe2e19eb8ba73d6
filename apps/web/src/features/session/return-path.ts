/** Where to go after signing in: a path of this app, whatever the address bar says. Never another site. */
export function safeReturnPath(next: string): string {
  return /^\/(?![/\\])/.test(next) && !next.startsWith("/sign-in") ? next : "/";
}

export function signInPath(returnPath: string): string {
  return returnPath === "/" ? "/sign-in" : `/sign-in?next=${encodeURIComponent(returnPath)}`;
}

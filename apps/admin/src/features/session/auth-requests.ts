/** Signing in and out, at the server's own routes. */

export interface Credentials {
  email: string;
  password: string;
}

/** Undefined once signed in; otherwise why not, in plain words. */
export async function signIn(credentials: Credentials): Promise<string | undefined> {
  const response = await post("/api/auth/sign-in/email", credentials);
  if (response?.ok) return undefined;
  if (response === undefined || response.status >= 500) return "The console does not answer right now. Try again in a moment.";
  if (response.status === 429) return "Too many attempts. Wait a minute, then try again.";
  return "The email or the password is not right.";
}

/** True when the session is over on the server too. */
export async function signOut(): Promise<boolean> {
  const response = await post("/api/auth/sign-out", {});
  return response?.ok ?? false;
}

async function post(path: string, body: object): Promise<Response | undefined> {
  try {
    return await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  } catch {
    return undefined; // the network is down; the caller has the words
  }
}

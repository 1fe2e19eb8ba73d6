/** Signing in and out, at the routes that the servers of both apps have. */

export interface Credentials {
  email: string;
  password: string;
}

/** Undefined once signed in; otherwise why not, in plain words. `service` is what people call the server that was asked. */
export async function signIn(credentials: Credentials, service: string): Promise<string | undefined> {
  const response = await post("/api/auth/sign-in/email", credentials);
  if (response === undefined) return `${service} does not answer. Check the connection and try again.`;
  if (response.ok) return undefined;
  if (response.status === 401 || response.status === 400) return "The email or the password is not right.";
  if (response.status === 429) return "Too many attempts. Wait a minute, then try again.";
  return (await messageOf(response)) ?? `${service} could not sign you in. Try again in a moment.`;
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

async function messageOf(response: Response): Promise<string | undefined> {
  const body: unknown = await response.json().catch(() => undefined);
  if (typeof body !== "object" || body === null || !("message" in body)) return undefined;
  return typeof body.message === "string" ? body.message : undefined;
}

/** Gives the password once more. Undefined when it was right; otherwise why not, in plain words. */
export async function confirmPassword(password: string): Promise<string | undefined> {
  try {
    const response = await fetch("/api/confirm", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ password }),
    });
    if (response.ok) return undefined;
    const { message } = (await response.json()) as { message: string };
    return message;
  } catch {
    return "The console does not answer. Check the connection and try again.";
  }
}

/** The server wants the password again before it does this. */
export function isUnconfirmed(failure: unknown): boolean {
  const data = failure instanceof Error && "data" in failure ? failure.data : undefined;
  return typeof data === "object" && data !== null && "code" in data && data.code === "auth.unconfirmed";
}

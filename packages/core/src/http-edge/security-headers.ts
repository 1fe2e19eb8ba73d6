export interface SecurityHeadersOptions {
  /** Marks the inline scripts of this one page. */
  nonce: string;
  /** Development needs `eval` and the reload socket. */
  dev?: boolean;
}

/**
 * What every response of a page or an API carries. A route that serves users' bytes replaces the policy with a stricter one.
 *
 * Next writes its data into inline scripts and marks them with the nonce that it finds in the *request's* policy. Nothing
 * that a user typed can run, no script of another origin does, and no page of ours can be framed.
 */
export function securityHeaders({ nonce, dev = false }: SecurityHeadersOptions): Record<string, string> {
  const scripts = `script-src 'self' 'nonce-${nonce}'${dev ? " 'unsafe-eval'" : ""}`;
  return {
    "content-security-policy": `${scripts}; connect-src 'self'${dev ? " ws:" : ""}; ${FIXED_POLICY}`,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
  };
}

const FIXED_POLICY = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  "font-src 'self' data:",
  "object-src 'none'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

/**
 * Who may come in, and how the first one does.
 *
 * better-auth keeps passwords, sessions and roles and serves `/api/auth/*`; around it stand the rules that are Holdfast's
 * own. An account is made in one of four ways: the owner's, once, by the set-up page, by the environment or by the first
 * sign-up; everybody else's by an admin, or by signing up where that is allowed. Trying Holdfast out on one machine needs
 * no ceremony; a Drive that faces a network is never claimed or joined by whoever comes first.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Database } from "@holdfast/db";
import { fromNodeHeaders } from "better-auth/node";
import { setResponse } from "better-call/node";
import type { Actor } from "../drive/index.ts";
import { HttpEdgeError } from "../http-edge/index.ts";
import { type Clock, type Logger, systemClock } from "../kernel/index.ts";
import { type Auth, createAuth } from "./better-auth.ts";
import { type Confirmation, createConfirmation } from "./confirmation.ts";
import { AccountError } from "./errors.ts";
import { type EnvironmentOwner, type OwnerAccount, ownerExists, ownerOfEnvironment, parseOwner, withAdminLock } from "./owner.ts";
import { type Peer, peerOf } from "./peer.ts";
import { createSessionReader, createTokenReader } from "./sessions.ts";
import { createSetupCodeCheck, setupCodeOf } from "./setup-code.ts";
import { type Protocol, protocolOf, webRequest } from "./web-request.ts";

/** Who may make an account once there is an owner: `auto` is whoever sits at this machine. */
export type SignUpPolicy = "auto" | "open" | "closed";

/** Where a program that signs up as the first user from elsewhere puts the code that the server printed. */
const SETUP_CODE_HEADER = "holdfast-setup-code";

/** What admins do to accounts. */
const ADMINS_PATH = /\/admin\//;

export interface AccountsOptions {
  database: Database;
  /** HOLDFAST_AUTH_SECRET: the same for every process whose cookies should be good for each other. */
  secret: string;
  logger: Logger;
  /** HOLDFAST_SIGN_UP */
  signUp?: SignUpPolicy;
  /** A proxy in front is believed about the client's address and about https. */
  trustProxy?: boolean;
  clock?: Clock;
}

export interface SetupState {
  /** True until there is an owner. */
  needed: boolean;
  /** True when this caller must give the one-time code that the server printed. */
  codeRequired: boolean;
}

export interface NewOwner extends OwnerAccount {
  /** Needed unless the caller is on this machine. */
  code?: string;
}

export interface Accounts extends Confirmation {
  /** Every request to `/api/auth/*`. Rejects with an `AccountError`, or when the database is away. */
  handler: (req: IncomingMessage, res: ServerResponse) => Promise<void>;
  /** Whoever is signed in, by session cookie. Rejects when the database is away: nobody is called signed out for that. */
  actorOf: (headers: IncomingHttpHeaders) => Promise<Actor | undefined>;
  setupState(peer: Peer): Promise<SetupState>;
  /** Makes the one first owner. Rejects with `setup.done`, `setup.wrong_code`, `setup.too_many_tries` or `account.invalid`. */
  createOwner(owner: NewOwner, peer: Peer): Promise<void>;
  /**
   * For the start of the Drive: makes the owner that the environment names unless there is one, else prints the set-up code
   * while it is needed. May be repeated. Rejects with an `EnvironmentError` when the settings cannot make an owner.
   */
  prepareOwner(environment: EnvironmentOwner): Promise<void>;
}

export function createAccounts(options: AccountsOptions): Accounts {
  const { database, secret, logger, signUp = "auto", clock = systemClock } = options;
  const checkSetupCode = createSetupCodeCheck(secret, clock);
  /** Whose request better-auth is working on; absent when we call it ourselves. */
  const currentPeer = new AsyncLocalStorage<Peer>();
  const auths = { http: authWith({ secureCookies: false }), https: authWith({ secureCookies: true }) };
  const tokenOf = createTokenReader(secret);
  const confirmation = createConfirmation({ database, tokenOf, authOf: ({ isSecure }) => auths[isSecure ? "https" : "http"] });

  function authWith({ secureCookies }: { secureCookies: boolean }): Auth {
    return createAuth({ database, secret, logger, secureCookies, admitSignUp });
  }

  /** The first account was admitted by `admitOwner` before better-auth saw the request. */
  async function admitSignUp(): Promise<void> {
    const peer = currentPeer.getStore();
    if (peer === undefined || signUp === "open" || (signUp === "auto" && peer.loopback)) return;
    if (await ownerExists(database)) {
      throw new AccountError("account.sign_up_closed", "New accounts are made by an admin here. Ask one to invite you.");
    }
  }

  function admitOwner(peer: Peer, setupCode: string | undefined): void {
    if (!peer.loopback) checkSetupCode(setupCode);
  }

  async function makeOwner(owner: OwnerAccount): Promise<void> {
    await withAdminLock(database, async () => {
      if (await ownerExists(database)) throw setupDone();
      const { token } = await auths.http.api.signUpEmail({ body: owner });
      await database.pool.query("DELETE FROM session WHERE token = $1", [token]); // nobody holds its cookie
    });
    logger.info({ email: owner.email }, "the owner's account was made");
  }

  /**
   * Or a stolen cookie would set a password, its own account's or a new admin's, and confirm itself with that. A request may
   * bring two cookies: the session that better-auth goes by is the one that must be confirmed.
   */
  async function requireConfirmation({ headers }: IncomingMessage, protocol: Protocol): Promise<void> {
    const signedIn = await auths[protocol].api.getSession({ headers: fromNodeHeaders(headers), query: { disableRefresh: true } });
    if (signedIn === null) return; // better-auth refuses it
    if (tokenOf(headers)?.value === signedIn.session.token && (await confirmation.isConfirmed(headers))) return;
    throw new HttpEdgeError("auth.unconfirmed", "Your password was last given too long ago. Confirm it in the console, or sign in again.");
  }

  return {
    async handler(req, res) {
      const peer = peerOf(req, options);
      const protocol = protocolOf(req, options);
      const request = await webRequest(req, protocol, peer);
      const answer = () => currentPeer.run(peer, () => auths[protocol].handler(request));
      const owned = await ownerExists(database); // asked each time: better-auth calls some outages an error of its own
      // Until there is an owner, any of these may turn out to make the first account, whatever its path looks like.
      const alone = req.method === "POST" && (!owned || ADMINS_PATH.test(request.url));
      if (!alone) return await setResponse(res, await answer());
      if (owned) await requireConfirmation(req, protocol);
      else admitOwner(peer, request.headers.get(SETUP_CODE_HEADER) ?? undefined);
      await setResponse(res, await withAdminLock(database, answer));
    },

    actorOf: createSessionReader(database, tokenOf),

    ...confirmation,

    async setupState(peer) {
      const needed = !(await ownerExists(database));
      return { needed, codeRequired: needed && !peer.loopback };
    },

    async createOwner({ code, ...owner }, peer) {
      if (await ownerExists(database)) throw setupDone();
      admitOwner(peer, code);
      await makeOwner(parseOwner(owner));
    },

    async prepareOwner(environment) {
      if (await ownerExists(database)) return;
      const owner = ownerOfEnvironment(environment);
      if (owner !== undefined) return await makeOwner(owner).catch(unlessSetupDone);
      logger.warn(`There is no owner yet. Open the Drive to set it up; from another machine with this code: ${setupCodeOf(secret)}`);
    },
  };
}

function setupDone(): AccountError {
  return new AccountError("setup.done", "This Holdfast has an owner already. Sign in instead.");
}

/** Another gateway that started at the same moment made the same owner. */
function unlessSetupDone(error: unknown): void {
  if (!(error instanceof AccountError && error.code === "setup.done")) throw error;
}

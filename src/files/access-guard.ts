import { isThenable, type MaybePromise, whenDone } from "../base/maybe-promise.js";
import { AccessDeniedError } from "./access-denied-error.js";
import type { AccessContext, AccessFunction } from "./access-function.js";
import { type AccessMode, type AccessPolicy, allowAll } from "./access-policy.js";
import type { AccessRefusal, AccessRefusals } from "./access-refusals.js";
import type { FileOperation } from "./file-operation.js";
import type { FileServerConnection } from "./file-server-stream.js";
import type { FileType } from "./file-system.js";

/** What else is known of a rename or a hard link. */
type SecondName = Pick<AccessContext, "to" | "isDirectory">;

/** Decides by operation, for one client. */
export interface OperationAccess {
  readonly decide: AccessFunction;
  readonly connection: FileServerConnection | undefined;
}

/** What can be done to the content of a file, and its name. */
const CONTENT_OPERATIONS = ["read", "overwrite", "append", "attributes", "delete"] as const;
const DIRECTORY_OPERATIONS = ["list", "attributes", "removeDirectory"] as const;

/** Whether what is asked is refused. */
export async function isRefused(ask: () => MaybePromise<void>): Promise<boolean> {
  try {
    await ask();
    return false;
  } catch (error) {
    if (error instanceof AccessDeniedError) return true;
    throw error;
  }
}

/** What a client may do: a policy by path decides, and where there is one a function by operation. Both have to allow. */
export class AccessGuard {
  readonly policy: AccessPolicy;
  readonly refusals: AccessRefusals | undefined;
  readonly #decide: AccessFunction | undefined;
  readonly #context: AccessContext;
  readonly #policyAllowsAll: () => boolean;

  /** @param policyAllowsAll whether the policy allows everything, for all its life or since it was last asked */
  constructor(
    policy: AccessPolicy,
    operations?: OperationAccess,
    refusals?: AccessRefusals,
    policyAllowsAll = () => policy === allowAll,
  ) {
    this.policy = policy;
    this.#policyAllowsAll = policyAllowsAll;
    this.refusals = refusals;
    this.#decide = operations?.decide;
    const connection = operations?.connection;
    this.#context = { user: connection?.username, connection };
  }

  /** Whether anything may be refused, or done otherwise than the client wants it. */
  get decides(): boolean {
    return this.#decide !== undefined || !this.#policyAllowsAll();
  }

  /** Whether a function by operation is asked. */
  get asksOperations(): boolean {
    return this.#decide !== undefined;
  }

  /** Whether some paths may have to be left out of a listing. */
  get canHide(): boolean {
    return this.#decide?.hides !== undefined;
  }

  /** @throws {AccessDeniedError} where one of the two refuses */
  demandBoth(type: FileType, path: string, mode: AccessMode, operation: FileOperation): MaybePromise<void> {
    return whenDone(this.demandByPolicy(type, path, mode, operation), () => this.demand(operation, path));
  }

  /** Asks the policy alone. */
  demandByPolicy(type: FileType, path: string, mode: AccessMode, operation: FileOperation): MaybePromise<void> {
    const { policy } = this;
    const decision =
      type === "directory" ? policy.checkDirectoryAccess(path, mode) : policy.checkFileAccess(path, mode);
    return whenDone(decision, (allowed) => {
      if (allowed !== true) return this.#refuse({ operation, path });
    });
  }

  /** Asks the function by operation alone. */
  demand(operation: FileOperation, path: string, second?: SecondName): MaybePromise<void> {
    return whenDone(this.allows(operation, path, second), (allowed) => {
      if (allowed) return;
      const to = second?.to;
      const why = this.#explain(operation, path);
      return this.#refuse({ operation, path, ...(to !== undefined && { to }), ...(why !== undefined && { why }) });
    });
  }

  /** Whether the function by operation allows something. The log is told of it if it does not. */
  async grants(operation: FileOperation, path: string): Promise<boolean> {
    try {
      await this.demand(operation, path);
      return true;
    } catch (error) {
      if (!(error instanceof AccessDeniedError)) throw error;
      this.refusals?.refused(error.refusal);
      return false;
    }
  }

  /** Whether the function by operation allows something. A throw refuses. */
  allows(operation: FileOperation, path: string, second?: SecondName): MaybePromise<boolean> {
    const decide = this.#decide;
    if (decide === undefined) return true;
    const failed = (error: unknown): false => {
      this.refusals?.failed(error, operation, path);
      return false;
    };
    try {
      const decision = decide(operation, path, second === undefined ? this.#context : { ...this.#context, ...second });
      // A program in JavaScript may return anything.
      if (!isThenable(decision)) return decision === true;
      return Promise.resolve(decision).then((allowed) => allowed === true, failed);
    } catch (error) {
      return failed(error);
    }
  }

  /** Whether a path is to look as if nothing was there. */
  hides(path: string): MaybePromise<boolean> {
    const hidden = this.#decide?.hides?.(path, this.#context) ?? false;
    return whenDone(hidden, (answer) => answer !== false);
  }

  /** @throws {AccessDeniedError} where a path is to look as if nothing was there */
  demandVisible(path: string): MaybePromise<void> {
    if (!this.canHide) return;
    return whenDone(this.hides(path), (isHidden) => {
      if (isHidden) throw new AccessDeniedError({ operation: "stat", path, why: "it is hidden" }, "ENOENT");
    });
  }

  /**
   * Asked before a file gets another name: nobody is to do there what they could not do before.
   *
   * @throws {AccessDeniedError}
   */
  async demandNoMore(operation: "rename" | "hardlink", path: string, to: string, isDirectory: boolean): Promise<void> {
    if (!this.asksOperations) return;
    for (const more of isDirectory ? DIRECTORY_OPERATIONS : CONTENT_OPERATIONS) {
      // Of a file with two names, the old one stays.
      if (more === "delete" && operation === "hardlink") continue;
      if ((await this.allows(more, path)) || !(await this.allows(more, to))) continue;
      throw new AccessDeniedError({ operation, path, to, why: `under the new name ${more} would be allowed` });
    }
  }

  async #refuse(refusal: AccessRefusal): Promise<never> {
    const { operation, path } = refusal;
    // Clients look before they upload. A function that explains itself may be asked for that alone; others may count.
    const isUsual = operation === "stat" && this.#decide?.explain !== undefined && (await this.allows("create", path));
    throw new AccessDeniedError({ ...refusal, isUsual }, (await this.hides(path)) ? "ENOENT" : "EACCES");
  }

  #explain(operation: FileOperation, path: string): string | undefined {
    try {
      return this.#decide?.explain?.(operation, path, this.#context);
    } catch {
      return undefined;
    }
  }
}

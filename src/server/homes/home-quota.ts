import { ConfigurationError } from "../../base/configuration-error.js";
import type { MaybePromise } from "../../base/maybe-promise.js";
import { checkOptions, kindOf } from "../../base/option-checks.js";
import type { QuotaUsage } from "../../base/quota-ledger.js";
import type { FileSystem } from "../../files/file-system.js";
import { type LimitedFileSystem, type QuotaOptions, quota } from "../../files/wrappers/quota.js";

/** How much of a user's quota is taken. */
export interface HomeQuotaUsage extends QuotaUsage {
  /** The user whose home it is. */
  readonly user: string;
}

/** Bytes that the files of a home may hold, or those with a warning; `false` is no limit. */
export type HomeQuota =
  | number
  | (Omit<QuotaOptions, "used" | "name" | "onWarning"> & {
      /** As of a quota; it is told the user, too. */
      readonly onWarning?: (usage: HomeQuotaUsage) => MaybePromise<void>;
    })
  | false;

/**
 * @returns `undefined` where there is no limit
 * @throws {ConfigurationError}
 */
export function limitHome(fileSystem: FileSystem, limit: HomeQuota, user: string): LimitedFileSystem | undefined {
  if (limit === undefined) throw new ConfigurationError("quota", "must not be undefined: false is no limit");
  if (limit === false) return undefined;
  if (typeof limit === "object") {
    const { onWarning, ...others } = checkOptions(limit, ["bytes", "warnAt", "onWarning"], "quota");
    if (typeof onWarning !== "function") return quota(fileSystem, limit as QuotaOptions);
    return quota(fileSystem, { ...others, onWarning: (usage) => onWarning({ ...usage, user }) });
  }
  if (typeof limit !== "number") {
    const kinds = "a number of bytes, such as 100 * 2 ** 20, or an object with bytes, warnAt, onWarning";
    throw new ConfigurationError("quota", `must be ${kinds}, not ${kindOf(limit)}`);
  }
  try {
    return quota(fileSystem, { bytes: limit });
  } catch (error) {
    throw new ConfigurationError("quota", "must be a number of bytes", { cause: error });
  }
}

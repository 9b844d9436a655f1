/** Keys: `spindlex/crypto`. */
export type { HostKey } from "./keys/host-key.js";
export { KeyError, type KeyErrorCode } from "./keys/key-error.js";
export {
  type GenerateOptions,
  type OpenSSHOptions,
  PKey,
  type ReadOptions,
  type WriteOptions,
} from "./keys/pkey.js";

import { readFileSync } from "node:fs";
import { ConfigurationError } from "../base/configuration-error.js";

/** capabilities(7), as bits of CapEff. */
const CAP_SETGID = 1n << 6n;
const CAP_SETUID = 1n << 7n;

/**
 * Checks that programs of another user will have nothing of this process's groups. Node.js gives them up before it changes the
 * user, but goes on where the system does not let it.
 *
 * @throws {ConfigurationError} where that cannot be done
 */
export function checkMayBecome(uid: number, gid: number): void {
  if (process.getuid === undefined) throw new ConfigurationError("uid", "is not for programs on this system");
  if (uid === process.getuid() && gid === process.getgid?.() && uid !== 0) return;
  if (process.geteuid?.() !== 0 || !hasRights()) {
    throw new ConfigurationError(
      "uid",
      `a program of user ${uid} needs a server that runs as root and may change groups`,
    );
  }
}

/** Root in a container may have been left without the right, or in a user namespace where groups cannot be changed. */
function hasRights(): boolean {
  if (process.platform !== "linux") return true;
  try {
    const [, capabilities = "0"] = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
    const wanted = CAP_SETUID | CAP_SETGID;
    return (
      (BigInt(`0x${capabilities}`) & wanted) === wanted &&
      readFileSync("/proc/self/setgroups", "utf8").trim() !== "deny"
    );
  } catch {
    return false;
  }
}

import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import type { ProgramAccount } from "../session/program-runner.js";

const ACCOUNTS = "/etc/passwd";
const DEFAULT_SHELL = "/bin/sh";

/** The account of a user of this machine; without a user, that of this process. An unknown user has no home. */
export function accountOf(uid: number | undefined): ProgramAccount {
  if (uid === undefined || uid === process.getuid?.()) return ownAccount();
  return findAccount(uid) ?? unknownAccount(uid);
}

function ownAccount(): ProgramAccount {
  try {
    const { username, homedir, shell } = userInfo();
    return { name: username, home: homedir, shell: shell || DEFAULT_SHELL };
  } catch {
    // In a container the user of a process often has no entry.
    return unknownAccount(process.getuid?.() ?? 0);
  }
}

function unknownAccount(uid: number): ProgramAccount {
  return { name: String(uid), home: "/", shell: DEFAULT_SHELL };
}

/** The entry of passwd(5) for a user; accounts of a directory service are not there. */
function findAccount(uid: number): ProgramAccount | undefined {
  for (const line of readAccounts().split("\n")) {
    const [name = "", , id, , , home = "", shell = ""] = line.split(":");
    if (id === String(uid)) return { name, home: home || "/", shell: shell || DEFAULT_SHELL };
  }
  return undefined;
}

function readAccounts(): string {
  try {
    return readFileSync(ACCOUNTS, "utf8");
  } catch {
    return "";
  }
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { Grant } from "../../../src/auth/grant.js";
import { authorizedKeys } from "../../../src/authenticators/authorized-keys/authorized-keys.js";
import { PKey } from "../../../src/crypto/index.js";
import { fakeConnection } from "../../connection/fake-connection.js";
import { needs } from "../../support/clients.js";
import { isLong } from "../../support/extent.js";
import { OPTION_CASES } from "../../support/option-cases.js";
import { installedSshds, SSHD_VERSIONS, SshdOracle } from "../../support/sshd-oracle.js";
import { runOk, temporaryFolder } from "../../support/tools.js";

const TIMEOUT = 300_000;
const folder = temporaryFolder();
const identity = join(folder, "user");
let line = "";

beforeAll(async () => {
  await runOk("ssh-keygen", ["-q", "-N", "", "-t", "ed25519", "-f", identity]);
  line = readFileSync(`${identity}.pub`, "utf8");
});

for (const version of SSHD_VERSIONS.filter((one) => isLong || one === installedSshds().at(-1)))
  describe(version, needs(version), () => {
    it(`agrees about ${OPTION_CASES.length} lines of options, and about the flags they leave`, {
      timeout: TIMEOUT,
    }, async () => {
      using sshd = await SshdOracle.start(folder, version, ["PermitUserEnvironment yes"]);
      const key = PKey.fromString(line);
      for (const { options, sshd: known } of OPTION_CASES) {
        const authorized = `${options} ${line}`;
        const before = sshd.log.length;
        const verdict = await sshd.offer({ authorizedKeys: `${authorized}\n` }, key);
        const flags = verdict === "accepted" ? flagsIn(await sshd.logged(FLAGS_LOGGED, before)) : undefined;
        const decision = await decide(authorized, key);
        const ours = decision instanceof Grant ? flagsOf(decision) : undefined;
        if (known === "accepted")
          expect({ options, verdict, ours }).toEqual({ options, verdict: "accepted", ours: undefined });
        else expect({ options, flags: ours }).toEqual({ options, flags });
      }
    });
  });

function decide(text: string, key: PKey) {
  const hook = authorizedKeys(() => text, { permitUserEnvironment: true });
  return hook("root", key, fakeConnection({ remoteAddress: "127.0.0.1" }), "ssh-ed25519");
}

const FLAGS = [
  "agent-forwarding",
  "command",
  "environment",
  "permitopen",
  "permitlisten",
  "port-forwarding",
  "pty",
  "user-rc",
  "x11-forwarding",
];

/** sshd tells them of a line that it accepts. */
const FLAGS_LOGGED = /: key options:([^\r\n]*)[\r\n]/;

function flagsIn([, flags = ""]: RegExpExecArray): string[] {
  // 9.2 puts no space before "expires".
  const words = flags.replaceAll("expires", " ").split(" ");
  return FLAGS.filter((flag) => words.includes(flag));
}

function flagsOf({ permissions }: Grant): string[] {
  const set: Readonly<Record<string, boolean>> = {
    "agent-forwarding": permissions.agentForwarding,
    command: permissions.forceCommand !== undefined,
    environment: Object.keys(permissions.environment).length > 0,
    permitopen: permissions.permitOpen.length > 0,
    permitlisten: permissions.permitListen.length > 0,
    "port-forwarding": permissions.portForwarding,
    pty: permissions.pty,
    "user-rc": permissions.userRc,
    "x11-forwarding": permissions.x11Forwarding,
  };
  return FLAGS.filter((flag) => set[flag]);
}

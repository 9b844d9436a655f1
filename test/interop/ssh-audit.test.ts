import { describe, expect, it } from "vitest";
import { NEWER_PYTHON_PACKAGES, needs, SSH_AUDIT, TOOLS } from "../support/clients.js";
import { isLong } from "../support/extent.js";
import { OpensshServer } from "../support/server-openssh.js";
import { HOST_KEY_TYPES, TestServer } from "../support/server-start.js";
import { run, temporaryFolder } from "../support/tools.js";

interface AuditedAlgorithm {
  readonly algorithm: string;
  readonly notes?: { readonly fail?: readonly string[]; readonly warn?: readonly string[] };
}

type Report = Readonly<Record<"kex" | "key" | "enc" | "mac", readonly AuditedAlgorithm[]>>;

/** Each failure and warning that ssh-audit has for the algorithms a server offers, as "algorithm: finding". */
async function findings(port: number): Promise<string[]> {
  // The rate test opens connections as fast as it can: it judges the limits of a firewall, not the algorithms.
  const command = [SSH_AUDIT, "-jj", "--skip-rate-test", "-p", `${port}`, "127.0.0.1"];
  const { stdout, stderr } = await run(TOOLS["ssh-audit"], command, {
    environment: { PYTHONPATH: NEWER_PYTHON_PACKAGES },
  });
  if (stdout.length === 0) throw new Error(stderr);
  const report: Report = JSON.parse(stdout.toString());
  const algorithms = [...report.kex, ...report.key, ...report.enc, ...report.mac];
  expect(algorithms.length).toBeGreaterThan(4);
  return algorithms.flatMap(({ algorithm, notes }) =>
    [...(notes?.fail ?? []), ...(notes?.warn ?? [])].map((finding) => `${algorithm}: ${finding}`),
  );
}

describe("ssh-audit", needs("ssh-audit"), () => {
  const folder = temporaryFolder();

  it("finds nothing in the hardened algorithms, whatever host keys are loaded", async () => {
    await using server = await TestServer.start({ algorithms: "hardened", hostKeyTypes: HOST_KEY_TYPES });
    expect(await findings(server.port)).toEqual([]);
  });

  it("finds no SHA-1, no short tag, no weak size in the default algorithms", async () => {
    await using server = await TestServer.start({ algorithms: {}, hostKeyTypes: HOST_KEY_TYPES });
    const found = await findings(server.port);
    expect(found.filter((finding) => /sha-?1\b|tag size|112-bits|modulus|\bCBC\b|unknown/i.test(finding))).toEqual([]);
  });

  if (isLong)
    it("finds less in the default algorithms than in Debian's sshd", needs("sshd"), async () => {
      using sshd = await OpensshServer.start(folder);
      await using server = await TestServer.start({ algorithms: {} });
      const [ours, debians] = [await findings(server.port), await findings(sshd.port)];
      console.log(`ssh-audit findings: default ${ours.length}, Debian's sshd ${debians.length}`);
      expect(ours.length).toBeLessThan(debians.length);
    });
});

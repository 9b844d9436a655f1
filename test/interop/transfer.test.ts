import { describe, expect, it } from "vitest";
import { EXEC_CLIENTS, type ExecClientName, type ExecRequest, needs } from "../support/clients.js";
import { sha256, testBytes } from "../support/server.js";
import { type ServerFixture, serverFixture } from "../support/server-fixture.js";

const MIB = 1024 * 1024;

/** The others have no setting for it; the server's own re-keying is tried with all of them. */
const REKEYS_ITSELF: readonly ExecClientName[] = ["ssh", "ssh10", "plink", "paramiko", "asyncssh", "asyncssh-2.20"];
/** It waits for ever for itself when CLOSE comes while it asks for new keys, so there the client closes first. */
const CLOSES_FIRST: readonly ExecClientName[] = ["paramiko"];
/** dbclient compresses whenever the server offers it, so all its tests do. */
const COMPRESSES_ON_REQUEST: readonly ExecClientName[] = EXEC_CLIENTS.filter((client) => client !== "dbclient");

const large = testBytes(64 * MIB);
const medium = large.subarray(0, 16 * MIB);
/** Some of it compresses not at all, some by half, some to nothing. */
const compressible = Buffer.concat([
  large.subarray(0, 2 * MIB),
  Buffer.from(large.toString("hex", 0, 2 * MIB)),
  Buffer.alloc(2 * MIB),
]);
/** Of 16 MiB both ways: while one exchange runs, data that was under way counts towards the next. */
const LEAST_KEY_EXCHANGES = 8;

function execOn(fixture: ServerFixture, client: ExecClientName, request: Omit<ExecRequest, "login">) {
  return fixture.exec(client, { login: { user: "admin", keyType: "ed25519" }, ...request });
}

async function expectEcho(
  fixture: ServerFixture,
  client: ExecClientName,
  input: Buffer,
  request: Partial<ExecRequest> = {},
): Promise<void> {
  const { code, stdout, stderr } = await execOn(fixture, client, { command: "echo-stdin", input, ...request });
  expect({ code, length: stdout.length }, stderr).toEqual({ code: 0, length: input.length });
  expect(sha256(stdout)).toBe(sha256(input));
}

describe("with default settings", () => {
  const fixture = serverFixture();

  for (const client of EXEC_CLIENTS) {
    describe(client, needs(client), () => {
      it("receives 64 MiB intact", async () => {
        const { code, stdout, stderr } = await execOn(fixture, client, { command: `bytes ${large.length}` });
        expect({ code, length: stdout.length }, stderr).toEqual({ code: 0, length: large.length });
        expect(sha256(stdout)).toBe(sha256(large));
      });

      it("sends 64 MiB intact", async () => {
        const { code, stdout, stderr } = await execOn(fixture, client, { command: "sha256-stdin", input: large });
        expect({ code, hash: stdout.toString().trim() }, stderr).toEqual({ code: 0, hash: sha256(large) });
      });

      if (REKEYS_ITSELF.includes(client))
        it("asks for new keys every MiB while data flows both ways", async () => {
          const before = fixture.server.keyExchanges;
          const command = CLOSES_FIRST.includes(client) ? "echo-until-closed" : "echo-stdin";
          await expectEcho(fixture, client, medium, { command, rekeyBytes: MIB });
          expect(fixture.server.keyExchanges - before).toBeGreaterThanOrEqual(LEAST_KEY_EXCHANGES);
        });

      if (COMPRESSES_ON_REQUEST.includes(client))
        it("compresses both ways", async () => {
          await expectEcho(fixture, client, compressible, { compression: "zlib@openssh.com" });
          const compression = { compression: "zlib@openssh.com" };
          expect(fixture.server.server.lastLogin?.algorithms).toMatchObject({
            clientToServer: compression,
            serverToClient: compression,
          });
        });
    });
  }
});

describe("with a server that asks for new keys every MiB", () => {
  const fixture = serverFixture({ rekeyLimit: { bytes: MIB, seconds: 3600 } });

  for (const client of EXEC_CLIENTS) {
    it(`${client} keeps its data intact both ways`, needs(client), async () => {
      const before = fixture.server.keyExchanges;
      await expectEcho(fixture, client, medium);
      expect(fixture.server.keyExchanges - before).toBeGreaterThanOrEqual(LEAST_KEY_EXCHANGES);
    });

    it(`${client} does so with compression`, needs(client), () =>
      expectEcho(fixture, client, compressible, { compression: "zlib@openssh.com" }),
    );
  }
});

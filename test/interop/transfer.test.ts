import { describe, expect, it } from "vitest";
import { type ExecClientName, type ExecRequest, needs, TRIED_EXEC_CLIENTS } from "../support/clients.js";
import { extent, isLong } from "../support/extent.js";
import { sha256, testBytes } from "../support/server.js";
import { type ServerFixture, serverFixture } from "../support/server-fixture.js";

const MIB = 1024 * 1024;

/** The others have no setting for it; the server's own re-keying is tried with all of them. */
const REKEYS_ITSELF: readonly ExecClientName[] = ["ssh", "ssh10", "plink", "paramiko", "asyncssh", "asyncssh-2.20"];
/** It waits for ever for itself when CLOSE comes while it asks for new keys, so there the client closes first. */
const CLOSES_FIRST: readonly ExecClientName[] = ["paramiko"];
/** dbclient compresses whenever the server offers it, so all its tests do. */
const COMPRESSES_ON_REQUEST: readonly ExecClientName[] = TRIED_EXEC_CLIENTS.filter((client) => client !== "dbclient");

const bytes = testBytes(extent(6, 64) * MIB);
/** In the short run one carries much. Of the others it is tried how they agree with us, for which less will do. */
const CARRY_MUCH: readonly ExecClientName[] = isLong ? TRIED_EXEC_CLIENTS : ["ssh"];
/** Bytes after which new keys are asked for. */
const REKEY_BYTES = extent(MIB / 2, MIB);
const mebibytes = (client: ExecClientName) => (CARRY_MUCH.includes(client) ? extent(6, 64) : 2);
const large = (client: ExecClientName) => bytes.subarray(0, mebibytes(client) * MIB);
const medium = (client: ExecClientName) => bytes.subarray(0, Math.max(4 * REKEY_BYTES, (mebibytes(client) / 4) * MIB));
/** Of a medium amount both ways: while one exchange runs, data that was under way counts towards the next. */
const leastKeyExchanges = (client: ExecClientName) => medium(client).length / (2 * REKEY_BYTES);
/** Some of it compresses not at all, some by half, some to nothing. */
function compressible(client: ExecClientName): Buffer {
  const third = (mebibytes(client) * MIB) / 32;
  return Buffer.concat([bytes.subarray(0, third), Buffer.from(bytes.toString("hex", 0, third)), Buffer.alloc(third)]);
}

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

  const hasTests = (client: ExecClientName) =>
    [CARRY_MUCH, REKEYS_ITSELF, COMPRESSES_ON_REQUEST].some((clients) => clients.includes(client));

  for (const client of TRIED_EXEC_CLIENTS.filter(hasTests)) {
    describe(client, needs(client), () => {
      const sent = large(client);

      // The others do both where the server asks for new keys.
      if (CARRY_MUCH.includes(client))
        it("receives much data intact", async () => {
          const { code, stdout, stderr } = await execOn(fixture, client, { command: `bytes ${sent.length}` });
          expect({ code, length: stdout.length }, stderr).toEqual({ code: 0, length: sent.length });
          expect(sha256(stdout)).toBe(sha256(sent));
        });

      if (CARRY_MUCH.includes(client))
        it("sends much data intact", async () => {
          const { code, stdout, stderr } = await execOn(fixture, client, { command: "sha256-stdin", input: sent });
          expect({ code, hash: stdout.toString().trim() }, stderr).toEqual({ code: 0, hash: sha256(sent) });
        });

      if (REKEYS_ITSELF.includes(client))
        it("asks for new keys again and again while data flows both ways", async () => {
          const before = fixture.server.keyExchanges;
          const command = CLOSES_FIRST.includes(client) ? "echo-until-closed" : "echo-stdin";
          await expectEcho(fixture, client, medium(client), { command, rekeyBytes: REKEY_BYTES });
          expect(fixture.server.keyExchanges - before).toBeGreaterThanOrEqual(leastKeyExchanges(client));
        });

      if (COMPRESSES_ON_REQUEST.includes(client))
        it("compresses both ways", async () => {
          await expectEcho(fixture, client, compressible(client), { compression: "zlib@openssh.com" });
          const compression = { compression: "zlib@openssh.com" };
          expect(fixture.server.server.lastLogin?.algorithms).toMatchObject({
            clientToServer: compression,
            serverToClient: compression,
          });
        });
    });
  }
});

describe("with a server that asks for new keys again and again", () => {
  const fixture = serverFixture({ algorithms: {}, rekeyLimit: { bytes: REKEY_BYTES, seconds: 3600 } });

  for (const client of TRIED_EXEC_CLIENTS) {
    it(`${client} keeps its data intact both ways`, needs(client), async () => {
      const before = fixture.server.keyExchanges;
      await expectEcho(fixture, client, medium(client));
      expect(fixture.server.keyExchanges - before).toBeGreaterThanOrEqual(leastKeyExchanges(client));
    });

    if (CARRY_MUCH.includes(client))
      it(`${client} does so with compression`, needs(client), () =>
        expectEcho(fixture, client, compressible(client), { compression: "zlib@openssh.com" }),
      );
  }
});

import { readdirSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { PKey } from "../../../src/crypto/index.js";
import { AUTH_SUCCESSFUL, createServer, homes } from "../../../src/index.js";
import { type Home, HomeRegister } from "../../../src/server/homes/home-register.js";
import { PacketType } from "../../../src/sftp/codec/constants.js";
import { MIB, memoryInUse } from "../../attack/memory.js";
import { QUICK_ALGORITHMS } from "../../support/clients.js";
import { extent } from "../../support/extent.js";
import { PacketClient } from "../../support/packet-client.js";
import { SFTPChannel } from "../../support/sftp-channel.js";
import { init, NO_ATTRIBUTES, request } from "../../support/sftp-packets.js";
import { temporaryFolder } from "../../support/tools.js";
import { withoutAdmission } from "../../support/without-admission.js";

const HOMES = extent(60, 5000);
const SESSIONS = extent(10, 200);
const WRITE_AND_CREATE = 0x0a;

const descriptors = () => readdirSync("/proc/self/fd").length;

describe("homes of many users", () => {
  const root = temporaryFolder();

  it("take memory and descriptors for the users who are there, and not for all", { timeout: 600_000 }, async () => {
    await using server = createServer({
      hostKey: PKey.generate({ keyType: "ed25519" }),
      authentication: { password: () => AUTH_SUCCESSFUL },
      sftp: homes({ root, quota: 1000, shared: { "/docs": root }, atomicUploads: true }),
      logger: false,
      algorithms: QUICK_ALGORITHMS,
      ...withoutAdmission,
    });
    await server.listen(0);

    /** A session that leaves a file and a listing open. */
    async function use(user: number): Promise<void> {
      const client = await PacketClient.login(server.port, `user-${user}`, "");
      const sftp = await SFTPChannel.open(client, MIB);
      const requests = [
        request(PacketType.MKDIR, 1, `/of-${user}`, NO_ATTRIBUTES),
        request(PacketType.OPEN, 2, `/of-${user}/file`, WRITE_AND_CREATE, NO_ATTRIBUTES),
        request(PacketType.OPENDIR, 3, "/docs"),
      ];
      await sftp.send(Buffer.concat([init(), ...requests]));
      await sftp.receive(1 + requests.length);
      await client.close();
    }

    async function useAll(first: number, end: number): Promise<void> {
      let next = first;
      const session = async () => {
        while (next < end) await use(next++);
      };
      await Promise.all(Array.from({ length: SESSIONS }, session));
      await vi.waitFor(() => expect(server.connections).toHaveLength(0), { timeout: 10_000 });
    }

    const before = descriptors();
    const warmUp = Math.floor(HOMES / 3);
    await useAll(0, warmUp);
    const memory = memoryInUse();
    await useAll(warmUp, HOMES);
    expect(readdirSync(root)).toHaveLength(HOMES);
    // Directories stay open for two seconds.
    await vi.waitFor(() => expect(descriptors()).toBeLessThanOrEqual(before + 2), { timeout: 10_000 });
    expect(memoryInUse() - memory).toBeLessThan(16 * MIB);
  });

  it("are forgotten when nobody uses them, the longest first", async () => {
    const opened: string[] = [];
    const register = new HomeRegister(async (user): Promise<Home> => {
      opened.push(user);
      return { tree: {}, own: {}, limited: undefined };
    });
    const ends = Array.from({ length: 1500 }, () => new AbortController());
    for (const [user, { signal }] of ends.entries()) await register.get(`${user}`, "/", { signal });
    expect(register.size).toBe(1500);
    const staying = new AbortController();
    await register.get("0", "/", staying);
    for (const end of ends) end.abort();
    expect(register.size).toBe(1001);
    opened.length = 0;
    for (const user of ["0", "1499", "500", "499"]) await register.get(user, "/");
    expect(opened).toEqual(["499"]);
    staying.abort();
    expect(register.size).toBe(1000);
  });

  it("are in use until the last connection has ended, and each counts once", async () => {
    const register = new HomeRegister(async (): Promise<Home> => ({ tree: {}, own: {}, limited: undefined }));
    const [one, two] = [new AbortController(), new AbortController()];
    const home = await register.get("ann", "/", one);
    expect(await register.get("ann", "/", one)).toBe(home);
    expect(await register.get("ann", "/", two)).toBe(home);
    one.abort();
    for (let user = 0; user < 1200; user++) await register.get(`${user}`, "/");
    expect(await register.get("ann", "/")).toBe(home);
    two.abort();
    for (let user = 0; user < 1200; user++) await register.get(`${user}`, "/");
    expect(await register.get("ann", "/")).not.toBe(home);
    const gone = AbortSignal.abort();
    await register.get("late", "/", { signal: gone });
    expect(register.size).toBe(1000);
  });
});

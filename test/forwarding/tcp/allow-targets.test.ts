import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { ConfigurationError } from "../../../src/base/configuration-error.js";
import type { ConnectOptions, LocalTarget, SocketTarget, TcpTarget } from "../../../src/forwarding/target.js";
import { type AllowTargetsOptions, allowTargets } from "../../../src/forwarding/tcp/allow-targets.js";
import { TargetConnector } from "../../../src/forwarding/tcp/connect-target.js";
import { OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED } from "../../../src/protocol/constants.js";
import type { Connection } from "../../../src/session/connection.js";

type Connect = (options?: ConnectOptions) => Promise<Socket>;

const connection = { id: 7 } as Connection;
const { signal } = new AbortController();

const notConnected: Connect = () => Promise.reject(new Error("it was connected to"));

function target(host: string, port: number, user: string, connect: Connect): LocalTarget {
  const common = { user, connection, signal, connect };
  return { ...common, host, port, originatorAddress: "127.0.0.1", originatorPort: 1 } satisfies TcpTarget;
}

const asList = (targets: AllowTargetsOptions["targets"] | AllowTargetsOptions) =>
  allowTargets(typeof targets === "object" && "targets" in targets ? (targets as AllowTargetsOptions) : { targets });

/** Those of the addresses, which the host has, that it may be reached at; `false` where the target is refused. */
async function reach(
  targets: AllowTargetsOptions["targets"] | AllowTargetsOptions,
  host: string,
  port: number,
  addresses: readonly string[] = [],
  user = "ann",
): Promise<readonly string[] | false> {
  let reached: readonly string[] | undefined;
  const connect: Connect = async (options) => {
    expect(Object.keys(options ?? {})).toEqual(["allowAddress"]);
    reached = addresses.filter((address) => options?.allowAddress?.(address));
    return {} as Socket;
  };
  const decision = await asList(targets)(target(host, port, user, connect));
  if (decision === false) return false;
  return reached ?? expect.unreachable("it has decided otherwise");
}

const everywhere = ["8.8.8.8", "10.0.0.5", "127.0.0.1", "169.254.169.254", "2a00:1450::1", "::1"];
const publicOnes = ["8.8.8.8", "2a00:1450::1"];
const publicAndListed = ["8.8.8.8", "10.0.0.5", "2a00:1450::1"];

describe("allowTargets", () => {
  it.each([
    ["db.internal", 5432, true],
    ["DB.Internal", 5432, true],
    ["db.internal.", 5432, true],
    ["db.internal", 5433, false],
    ["db.internal", 0, false],
    ["xdb.internal", 5432, false],
    ["db.internal.evil.org", 5432, false],
    ["dbxinternal", 5432, false],
    ["db.internal\0.example.com", 443, false],
    ["a b.example.com", 443, false],
    ["", 5432, false],
    ["www.example.com", 443, true],
    ["a.b.EXAMPLE.com.", 443, true],
    ["example.com", 443, false],
    [`${"a".repeat(256)}.example.com`, 443, false],
    ["www.example.com.evil.org", 443, false],
    ["www.example.com", 8443, false],
    ["web1.example.org", 8000, true],
    ["web1.example.org", 8080, true],
    ["web12.example.org", 8080, false],
    ["web1.example.org", 7999, false],
    ["web1.example.org", 8081, false],
    ["any.example.net", 1, true],
    ["any.example.net", 65_535, true],
    ["any.example.net", 0, false],
  ])("knows the names and ports of its list: %j port %d", async (host, port, allowed) => {
    const targets = ["db.internal:5432", "*.Example.com.:443", "web?.example.org:8000-8080", "any.example.net:*"];
    expect(await reach(targets, host, port)).toEqual(allowed ? [] : false);
  });

  it.each([
    ["10.1.2.3", 22, true],
    ["::ffff:10.1.2.3", 22, true],
    ["0:0:0:0:0:FFFF:0a01:0203", 22, true],
    ["10.1.2.3", 23, false],
    ["11.0.0.0", 22, false],
    ["192.0.2.7", 80, true],
    ["192.0.2.8", 80, false],
    ["2001:db8:ffff::1", 9999, true],
    ["2001:DB8:0:0:0:0:0:1", 9999, true],
    ["2001:db9::1", 9999, false],
    ["2001:db8::1%eth0", 9999, false],
    ["[2001:db8::1]", 9999, false],
    ["::1", 443, true],
    ["::2", 443, false],
    ["172.16.0.1", 25, true],
    ["172.16.1.1", 25, false],
  ])("knows addresses by their value, in any writing: %s port %d", async (host, port, allowed) => {
    const targets = [
      "10.0.0.0/8:22",
      "192.0.2.7:80",
      "[2001:db8::]/32:*",
      "[0:0::1]:443",
      "[::ffff:172.16.0.0]/120:25",
    ];
    const addresses = [host.replace("::ffff:", "")].filter(() => host.includes("."));
    const reached = await reach(targets, host, port, addresses);
    // Of a host with other addresses than those of the list nothing is reached.
    expect(reached === false ? false : reached.length === addresses.length).toBe(allowed);
  });

  it("looks at the addresses of every name where its list has networks", async () => {
    const targets = ["10.0.0.0/8:22", "[2a00::]/16:22", "other.example.com:22", "127.0.0.0/8:23"];
    expect(await reach(targets, "any.example.com", 22, everywhere)).toEqual(["10.0.0.5", "2a00:1450::1"]);
    expect(await reach(targets, "any.example.com", 23, everywhere)).toEqual(["127.0.0.1"]);
    expect(await reach(targets, "any.example.com", 24, everywhere)).toBe(false);
  });

  it("lets names lead to any address where they are listed in full, and to public ones where a pattern matches", async () => {
    const targets = ["db.example.com:22", "*.example.com:22", "10.0.0.0/8:22"];
    expect(await reach(targets, "db.example.com", 22, everywhere)).toEqual(everywhere);
    expect(await reach(targets, "www.example.com", 22, everywhere)).toEqual(publicAndListed);
    expect(await reach(["*:*"], "www.example.com", 22, everywhere)).toEqual(publicOnes);
    expect(await reach({ targets, addresses: "any" }, "www.example.com", 22, everywhere)).toEqual(everywhere);
    const strict = { targets, addresses: "public" } as const;
    expect(await reach(strict, "db.example.com", 22, everywhere)).toEqual(publicAndListed);
  });

  it("takes an address for the name of itself where any name will do", async () => {
    expect(await reach(["*:443"], "8.8.8.8", 443, ["8.8.8.8"])).toEqual(["8.8.8.8"]);
    for (const host of ["10.0.0.5", "::ffff:10.0.0.5", "64:ff9b::10.0.0.5", "2002:a00:5::", "::1", "::", "0.0.0.0"]) {
      expect([host, await reach(["*:443"], host, 443)]).toEqual([host, false]);
    }
    expect(await reach({ targets: ["*:443"], addresses: "any" }, "10.0.0.5", 443, ["10.0.0.5"])).toEqual(["10.0.0.5"]);
  });

  it.each(["127.1", "2130706433", "0x7f.1", "017700000001", "127.0.0.01", "localhost"])(
    "connects to no address that is not public for a pattern, however it is written: %s",
    async (host) => {
      const connector = new TargetConnector({});
      const connect: Connect = (options) => connector.connect({ host, port: 1 }, { ...options, signal, owner: {} });
      const decision = allowTargets({ targets: ["*:*"] })(target(host, 1, "ann", connect));
      await expect(decision).rejects.toMatchObject({
        reason: OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
        cause: { message: expect.stringContaining("127.0.0.1") },
      });
    },
  );

  it("connects to what it allows", async () => {
    const server = createServer((socket) => socket.end("hello")).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const lookup = async () => ["127.0.0.2", "127.0.0.1"];
    const connector = new TargetConnector({ lookup });
    const connect: Connect = (options) => connector.connect({ host: "host", port }, { ...options, signal, owner: {} });
    const socket = (await allowTargets({ targets: ["127.0.0.1:*"] })(target("host", port, "ann", connect))) as Socket;
    expect(Buffer.concat(await socket.toArray()).toString()).toBe("hello");
    server.close();
  });

  it("has lists by user, and none for others", async () => {
    const lists = JSON.parse('{ "ann": ["db:1", "[::1]:2"], "__proto__": ["db:3"], "none": [] }');
    for (const targets of [lists, new Map(Object.entries(lists))]) {
      const of = (user: string, port: number) => reach(targets, "db", port, [], user);
      expect([await of("ann", 1), await of("ann", 3), await of("none", 1)]).toEqual([[], false, false]);
      expect([await of("__proto__", 3), await of("__proto__", 1)]).toEqual([[], false]);
      for (const other of ["bob", "constructor", "toString", "", "Ann"]) expect(await of(other, 1)).toBe(false);
    }
    expect(await reach(Object.create({ ann: ["db:1"] }), "db", 1)).toBe(false);
    expect(() => allowTargets({ targets: new Set(["db:1"]) as never })).toThrow(
      "targets: must be an object with lists",
    );
  });

  it("asks a function for the list of a user each time", async () => {
    const asked: unknown[] = [];
    const answers = [["db:1"], Promise.resolve(["db:1"]), ["db:2"], undefined, Promise.resolve(undefined), []];
    const targets = (...question: unknown[]) => {
      asked.push(question);
      return answers.shift() as readonly string[] | undefined;
    };
    const allow = async () => (await reach(targets, "db", 1)) !== false;
    expect([await allow(), await allow(), await allow(), await allow(), await allow(), await allow()]).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
    expect(asked).toEqual(Array.from({ length: 6 }, () => ["ann", connection]));
  });

  it("rejects where a function gives something that is not a list", async () => {
    for (const answer of [null, "db:1", true, {}, [5], [null], ["db"], new Set(["db:1"])]) {
      const decision = allowTargets({ targets: () => answer as never })(target("db", 1, "ann", notConnected));
      await expect(decision).rejects.toThrow(ConfigurationError);
    }
    const error = new Error("no list today");
    const decision = allowTargets({ targets: () => Promise.reject(error) })(target("db", 1, "ann", notConnected));
    await expect(decision).rejects.toBe(error);
  });

  it("is not changed by what becomes of its lists", async () => {
    const list = ["db:1"];
    const decide = allowTargets({ targets: list });
    list.push("other:1");
    expect(await decide(target("other", 1, "ann", notConnected))).toBe(false);
  });

  it("refuses sockets of the file system", async () => {
    const socket: SocketTarget = { user: "ann", connection, signal, connect: notConnected, path: "/run/db.sock" };
    expect(await allowTargets({ targets: ["*:*", "0.0.0.0/0:*"], addresses: "any" })(socket)).toBe(false);
  });

  it.each([
    "",
    "db",
    "db:",
    ":22",
    "db:0",
    "db:65536",
    "db:080x",
    "db:443-80",
    "db:0-80",
    "db:80-",
    "db:-80",
    "db:80,443",
    "db:ssh",
    "db: 22",
    "d b:22",
    "db/8:22",
    "münchen.de:22",
    "10.0.0.1/8:22",
    "10.0.0.0/33:22",
    "10.0.0.0/:22",
    "10.*:22",
    "192.168.?.1:22",
    "127.1:22",
    "2130706433:22",
    "0x7f000001:22",
    "010.0.0.1:22",
    "256.0.0.1:22",
    "2001:db8::1:22",
    "[2001:db8::1]/32:22",
    "[fe80::1%eth0]:22",
    "[fe80::1%eth0]/64:22",
    "[db]:22",
    "[]:22",
    "[::1:22",
    "db:22\n",
    `${"a".repeat(256)}:22`,
  ])("does not take %j for a target, and names it", (element) => {
    const mistake = () => allowTargets({ targets: { ann: ["db:22", element] } });
    expect(mistake).toThrow(ConfigurationError);
    expect(mistake).toThrow(`targets.ann: ${JSON.stringify(element)} cannot be used: `);
  });

  it("names the user whose targets are not a list", () => {
    expect(() => allowTargets({ targets: { ann: "localhost:22" as never } })).toThrow(
      "targets.ann: must be a list of host:port, not a text",
    );
  });

  it("can be asked one list after the other, each with its addresses", async () => {
    const databases = allowTargets({ targets: ["*.db.internal:5432"], addresses: "any" });
    const web = allowTargets({ targets: ["*:443"] });
    const both = async (asked: LocalTarget) => (await databases(asked)) || web(asked);
    const reached = async (host: string, port: number) => {
      let allowed: readonly string[] = [];
      const connect: Connect = async (options) => {
        allowed = everywhere.filter((address) => options?.allowAddress?.(address));
        return {} as Socket;
      };
      return (await both(target(host, port, "ann", connect))) !== false && allowed;
    };
    expect(await reached("a.db.internal", 5432)).toEqual(everywhere);
    expect(await reached("a.db.internal", 443)).toEqual(publicOnes);
    expect(await reached("8.8.8.8", 443)).toEqual(publicOnes);
    expect(await reached("10.0.0.5", 443)).toBe(false);
    expect(await reached("example.com", 22)).toBe(false);
  });
});

import { createSign } from "node:crypto";
import { describe, expect, it } from "vitest";
import { PKey } from "../../src/crypto/index.js";
import { signatureAlgorithms } from "../../src/crypto/keys/signature-algorithms.js";
import { DisconnectReason, MessageNumber } from "../../src/protocol/constants.js";
import { Reader } from "../../src/protocol/reader.js";
import { Writer } from "../../src/protocol/writer.js";
import { sample } from "../support/extent.js";
import { generateKeys } from "../support/generated-keys.js";
import type { PacketClient } from "../support/packet-client.js";
import {
  type PublickeyRequest,
  publickeyProof,
  publickeyQuery,
  publickeySignedData,
  readUserauthFailure,
  userauthRequest,
} from "../support/packet-messages.js";
import { Attacked, HOST_KEY, TargetServer, USERNAME } from "./attacked-server.js";

const rsaPair = generateKeys("rsa", { modulusLength: 2048 });
const keys: Readonly<Record<string, PKey>> = {
  ed25519: PKey.generate({ keyType: "ed25519" }),
  nistp256: PKey.generate({ keyType: "ecdsa", bits: 256 }),
  nistp384: PKey.generate({ keyType: "ecdsa", bits: 384 }),
  nistp521: PKey.generate({ keyType: "ecdsa", bits: 521 }),
  rsa: PKey.fromString(rsaPair.privateKey.export({ type: "pkcs8", format: "pem" }).toString()),
};
const { ed25519, nistp256, rsa } = keys;

const foreign = [
  "ssh-rsa",
  "ssh-dss",
  "ssh-rsa-sha256@ssh.com",
  "rsa-sha2-1024",
  "ssh-ed448",
  "ecdsa-sha2-nistp256k1",
  "x509v3-ssh-rsa",
];
const special = [
  "sk-ssh-ed25519@openssh.com",
  "sk-ecdsa-sha2-nistp256@openssh.com",
  "ssh-ed25519-cert-v01@openssh.com",
  "ecdsa-sha2-nistp256-cert-v01@openssh.com",
  "rsa-sha2-256-cert-v01@openssh.com",
  "rsa-sha2-512-cert-v01@openssh.com",
  "ssh-rsa-cert-v01@openssh.com",
];

/** Every key under every algorithm that is not its own. */
const misfits = Object.entries(keys).flatMap(([name, key]) =>
  [...new Set([...signatureAlgorithms, ...foreign, ...special])]
    .filter((algorithm) => !key.signatureAlgorithms.includes(algorithm))
    .map((algorithm) => [name, algorithm, key] as const),
);

/** A signature as the wire has it (RFC 4253 §6.6). */
const signatureBlob = (algorithm: string, signature: Uint8Array): Buffer =>
  new Writer().writeString(algorithm).writeString(signature).toBuffer();

function innerSignature(blob: Buffer): Buffer {
  const reader = new Reader(blob);
  reader.readString();
  return reader.readString();
}

async function start(): Promise<{ attacked: Attacked; client: PacketClient }> {
  const attacked = await Attacked.start(new TargetServer());
  for (const key of Object.values(keys)) attacked.server.authorizedKeys.add(key.fingerprint());
  const client = await attacked.authenticating();
  attacked.forgetCalls();
  return { attacked, client };
}

/** No hook was even asked, and nobody came in. */
async function expectNobody({ attacked, client }: { attacked: Attacked; client: PacketClient }): Promise<void> {
  expect(attacked.callNames).toEqual([]);
  expect(attacked.manager.getActiveConnections().filter(({ username }) => username !== undefined)).toHaveLength(1);
  await client.close();
  await attacked.expectUnharmed();
}

async function expectRefused(client: PacketClient, request: Buffer): Promise<void> {
  expect(readUserauthFailure(await client.authenticate(request)).partialSuccess).toBe(false);
}

function required(key: PKey | undefined): PKey {
  if (key === undefined) throw new Error("no such key");
  return key;
}

const requestOf = (key: PKey, algorithm: string): PublickeyRequest => ({
  username: USERNAME,
  algorithm,
  publicBlob: key.publicBlob,
});

describe("a key under an algorithm that is not its own", () => {
  it.each(sample(misfits, 4))("%s as %s is refused, offered and signed", async (_, algorithm, key) => {
    const { attacked, client } = await start();
    const request = requestOf(key, algorithm);
    await expectRefused(client, publickeyQuery(request));
    const own = key.sign(publickeySignedData(client.sessionId, request));
    await expectRefused(client, publickeyProof(request, own));
    await expectRefused(client, publickeyProof(request, signatureBlob(algorithm, innerSignature(own))));
    await expectNobody({ attacked, client });
  });

  it.each(
    sample(
      misfits.filter(([, algorithm]) => !foreign.includes(algorithm)),
      4,
    ),
  )("%s with a blob that says it is %s is refused", async (_, algorithm, key) => {
    const { attacked, client } = await start();
    const reader = new Reader(key.publicBlob);
    reader.readString();
    const publicBlob = new Writer().writeString(algorithm).writeBytes(reader.readRest()).toBuffer();
    for (const announced of [algorithm, ...key.signatureAlgorithms]) {
      const request = { username: USERNAME, algorithm: announced, publicBlob };
      await expectRefused(client, publickeyQuery(request));
    }
    await expectNobody({ attacked, client });
  });
});

describe("an RSA signature", () => {
  const hashes = [
    ["rsa-sha2-256", "sha256"],
    ["rsa-sha2-512", "sha512"],
    ["ssh-rsa", "sha1"],
    ["rsa-sha2-512", "sha384"],
    ["rsa-sha2-256", "sha224"],
  ] as const;
  const cases = ["rsa-sha2-256", "rsa-sha2-512"].flatMap((announced) =>
    ["rsa-sha2-256", "rsa-sha2-512", "ssh-rsa", ""].flatMap((named) =>
      hashes
        .filter(([algorithm, hash]) => !(algorithm === announced && named === announced && /256|512/.test(hash)))
        .map(([, hash]) => [announced, named, hash] as const),
    ),
  );
  it.each(sample(cases, 2))("announced as %s, named %s and made with %s is refused", async (announced, named, hash) => {
    const { attacked, client } = await start();
    const key = required(rsa);
    const request = requestOf(key, announced);
    const data = publickeySignedData(client.sessionId, request);
    const inner = createSign(hash).update(data).sign(rsaPair.privateKey);
    await expectRefused(client, publickeyProof(request, signatureBlob(named, inner)));
    await expectNobody({ attacked, client });
  });

  it.each(["rsa-sha2-256", "rsa-sha2-512"])("that is what it says is accepted: %s", async (algorithm) => {
    const { attacked, client } = await start();
    expect((await client.authPublickey(USERNAME, required(rsa), algorithm))[0]).toBe(MessageNumber.USERAUTH_SUCCESS);
    await client.close();
    await attacked.expectUnharmed();
  });
});

describe("a signature that is almost right", () => {
  const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
  const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const littleEndian = (bytes: Buffer): bigint => BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
  const mpint = (value: bigint): Buffer => {
    const hex = value.toString(16);
    const bytes = Buffer.from(hex.length % 2 ? `0${hex}` : hex, "hex");
    return (bytes[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes;
  };
  const pair = (blob: Buffer): [bigint, bigint] => {
    const reader = new Reader(blob);
    return [reader.readMpint(), reader.readMpint()].map((bytes) => BigInt(`0x${bytes.toString("hex")}`)) as [
      bigint,
      bigint,
    ];
  };
  const joined = (r: Uint8Array, s: Uint8Array): Buffer => new Writer().writeString(r).writeString(s).toBuffer();

  const changes: readonly (readonly [what: string, key: PKey | undefined, change: (inner: Buffer) => Buffer])[] = [
    [
      "Ed25519 whose S is one order larger",
      ed25519,
      (inner) => {
        const larger = (littleEndian(inner.subarray(32)) + ORDER).toString(16).padStart(64, "0");
        return Buffer.concat([inner.subarray(0, 32), Buffer.from(larger, "hex").reverse()]);
      },
    ],
    ["Ed25519 with S = 0 and a neutral R", ed25519, () => Buffer.concat([Buffer.of(1), Buffer.alloc(63)])],
    ["Ed25519 twice", ed25519, (inner) => Buffer.concat([inner, inner])],
    ["ECDSA with r one order larger", nistp256, (inner) => joined(mpint(pair(inner)[0] + N), mpint(pair(inner)[1]))],
    ["ECDSA with s one order larger", nistp256, (inner) => joined(mpint(pair(inner)[0]), mpint(pair(inner)[1] + N))],
    ["ECDSA with r and s swapped", nistp256, (inner) => joined(mpint(pair(inner)[1]), mpint(pair(inner)[0]))],
    ["ECDSA with s = 0", nistp256, (inner) => joined(mpint(pair(inner)[0]), Buffer.alloc(0))],
    ["ECDSA with r = n", nistp256, (inner) => joined(mpint(N), mpint(pair(inner)[1]))],
    [
      "ECDSA with a negative s",
      nistp256,
      (inner) => joined(mpint(pair(inner)[0]), Buffer.from(`ff${"80".repeat(31)}`, "hex")),
    ],
    [
      "ECDSA with needless zeros",
      nistp256,
      (inner) => joined(Buffer.concat([Buffer.alloc(8), mpint(pair(inner)[0])]), mpint(pair(inner)[1])),
    ],
    ["ECDSA with more behind it", nistp256, (inner) => Buffer.concat([inner, Buffer.alloc(1)])],
    ["ECDSA as DER", nistp256, (inner) => derOf(...pair(inner))],
    ["RSA that is zero", rsa, (inner) => Buffer.alloc(inner.length)],
    ["RSA that is one", rsa, (inner) => Buffer.concat([Buffer.alloc(inner.length - 1), Buffer.of(1)])],
    ["RSA over the modulus", rsa, (inner) => Buffer.alloc(inner.length, 0xff)],
    ["RSA one byte longer", rsa, (inner) => Buffer.concat([Buffer.alloc(1), inner])],
    // One of 256 begins with a zero, which may be missing.
    ["RSA one byte shorter", rsa, (inner) => inner.subarray(0, -1)],
  ];

  function derOf(r: bigint, s: bigint): Buffer {
    const integer = (value: bigint): Buffer => Buffer.concat([Buffer.of(2, mpint(value).length), mpint(value)]);
    const body = Buffer.concat([integer(r), integer(s)]);
    return Buffer.concat([Buffer.of(0x30, body.length), body]);
  }

  it.each(changes)("%s is refused", async (_, maybeKey, change) => {
    const { attacked, client } = await start();
    const key = required(maybeKey);
    const algorithm = key.signatureAlgorithms[0] ?? "";
    const request = requestOf(key, algorithm);
    const inner = innerSignature(key.sign(publickeySignedData(client.sessionId, request), algorithm));
    await expectRefused(client, publickeyProof(request, signatureBlob(algorithm, change(Buffer.from(inner)))));
    await expectNobody({ attacked, client });
  });
});

describe("a proof that was made for something else", () => {
  const key = required(ed25519);
  const plain = requestOf(key, "ssh-ed25519");
  const bound = { ...plain, hostKey: HOST_KEY.publicBlob };
  const other = PKey.generate({ keyType: "ed25519" }).publicBlob;

  const methodOf = (method: string): Buffer =>
    userauthRequest(USERNAME, method)
      .writeBoolean(true)
      .writeString("ssh-ed25519")
      .writeString(key.publicBlob)
      .toBuffer();
  const over = (sessionId: Uint8Array, body: Uint8Array): Buffer =>
    key.sign(new Writer().writeString(sessionId).writeBytes(body).toBuffer());
  const body = (request: PublickeyRequest): Buffer => {
    const data = publickeySignedData(Buffer.alloc(0), request);
    return data.subarray(4);
  };

  const cases: readonly (readonly [string, PublickeyRequest, (sessionId: Buffer) => Buffer])[] = [
    ["method password", plain, (id) => over(id, methodOf("password"))],
    ["method hostbased", plain, (id) => over(id, methodOf("hostbased"))],
    ["method keyboard-interactive", plain, (id) => over(id, methodOf("keyboard-interactive"))],
    ["the plain method", bound, (id) => over(id, body(plain))],
    ["the host-bound method", plain, (id) => over(id, body(bound))],
    ["the host-bound method with another host key", bound, (id) => over(id, body({ ...bound, hostKey: other }))],
    ["no session id", plain, () => key.sign(body(plain))],
    ["an empty session id", plain, () => over(Buffer.alloc(0), body(plain))],
    ["a session id of zeros", plain, (id) => over(Buffer.alloc(id.length), body(plain))],
    ["a session id with more behind it", plain, (id) => over(Buffer.concat([id, Buffer.alloc(1)]), body(plain))],
    ["a session id that is cut", plain, (id) => over(id.subarray(0, -1), body(plain))],
    ["a session id without its length", plain, (id) => key.sign(Buffer.concat([id, body(plain)]))],
    ["another user", plain, (id) => over(id, body({ ...plain, username: "root" }))],
    ["no user", plain, (id) => over(id, body({ ...plain, username: "" }))],
    ["another service", plain, (id) => over(id, body({ ...plain, service: "ssh-userauth" }))],
    ["another key", plain, (id) => over(id, body({ ...plain, publicBlob: other }))],
    ["another algorithm", plain, (id) => over(id, body({ ...plain, algorithm: "ssh-ed25519-cert-v01@openssh.com" }))],
    ["another message", plain, (id) => over(id, Buffer.concat([Buffer.of(51), body(plain).subarray(1)]))],
    ["a host key exchange", plain, (id) => key.sign(id)],
  ];
  it.each(cases)("%s is refused", async (_, request, sign) => {
    const { attacked, client } = await start();
    await expectRefused(client, publickeyProof(request, sign(client.sessionId)));
    await expectNobody({ attacked, client });
  });

  it("another service is refused, whichever user signs the request", async () => {
    const { attacked, client } = await start();
    const request = { ...plain, service: "ssh-userauth" };
    client.sendPacket(publickeyProof(request, over(client.sessionId, body(request))));
    expect((await client.waitDisconnect()).reason).toBe(DisconnectReason.SERVICE_NOT_AVAILABLE);
    await expectNobody({ attacked, client });
  });

  it("is accepted where all of it is right, so that the cases above are about one thing each", async () => {
    for (const request of [plain, bound]) {
      const { attacked, client } = await start();
      const answer = await client.authenticate(publickeyProof(request, over(client.sessionId, body(request))));
      expect(answer[0]).toBe(MessageNumber.USERAUTH_SUCCESS);
      await client.close();
      await attacked.expectUnharmed();
    }
  });
});

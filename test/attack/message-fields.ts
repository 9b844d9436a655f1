import { PKey } from "../../src/crypto/index.js";
import { MessageNumber as M } from "../../src/protocol/constants.js";
import { RSA_KEY } from "../support/rsa-key.js";
import { HOST_KEY, PASSWORD, USERNAME } from "./attacked-server.js";

/** One field of a message: a string with its length, a number or bytes as they are. */
export type Field = string | Buffer | { readonly uint32: number } | { readonly bytes: readonly number[] };

export interface DescribedMessage {
  readonly what: string;
  readonly payload: Buffer;
  /** Where the lengths of strings and the numbers of 32 bits stand. */
  readonly numbers: readonly number[];
}

const uint32 = (value: number): Field => ({ uint32: value });
const bytes = (...values: readonly number[]): Field => ({ bytes: values });
const yes = bytes(1);
const no = bytes(0);

function describeMessage(what: string, number: number, ...fields: readonly Field[]): DescribedMessage {
  const parts: Buffer[] = [Buffer.of(number)];
  const numbers: number[] = [];
  let offset = 1;
  const add = (part: Buffer): void => {
    parts.push(part);
    offset += part.length;
  };
  const addNumber = (value: number): void => {
    numbers.push(offset);
    const part = Buffer.alloc(4);
    part.writeUInt32BE(value);
    add(part);
  };
  for (const field of fields) {
    if (typeof field === "string" || Buffer.isBuffer(field)) {
      addNumber(field.length);
      add(Buffer.from(field));
    } else if ("uint32" in field) addNumber(field.uint32);
    else add(Buffer.from(field.bytes));
  }
  return { what, payload: Buffer.concat(parts), numbers };
}

const auth = (method: string, ...fields: readonly Field[]): DescribedMessage =>
  describeMessage(`USERAUTH_REQUEST ${method}`, M.USERAUTH_REQUEST, USERNAME, "ssh-connection", method, ...fields);
const onChannel = (name: string, ...fields: readonly Field[]): DescribedMessage =>
  describeMessage(`CHANNEL_REQUEST ${name}`, M.CHANNEL_REQUEST, uint32(0), name, yes, ...fields);
const global = (name: string, ...fields: readonly Field[]): DescribedMessage =>
  describeMessage(`GLOBAL_REQUEST ${name}`, M.GLOBAL_REQUEST, name, yes, ...fields);
const open = (kind: string, ...fields: readonly Field[]): DescribedMessage =>
  describeMessage(`CHANNEL_OPEN ${kind}`, M.CHANNEL_OPEN, kind, uint32(1), uint32(1 << 20), uint32(1 << 15), ...fields);

const signature = Buffer.concat([Buffer.from("0000000b", "hex"), Buffer.from("ssh-ed25519"), Buffer.alloc(68, 64)]);
const rsa = RSA_KEY.publicBlob;
const ecdsa = PKey.generate({ keyType: "ecdsa" }).publicBlob;

export const authenticationMessages: readonly DescribedMessage[] = [
  auth("none"),
  auth("password", no, PASSWORD),
  auth("password", yes, "old", "new"),
  auth("keyboard-interactive", "", "submethods"),
  auth("publickey", no, "ssh-ed25519", HOST_KEY.publicBlob),
  auth("publickey", yes, "ssh-ed25519", HOST_KEY.publicBlob, signature),
  auth("publickey", no, "ecdsa-sha2-nistp256", ecdsa),
  auth("publickey-hostbound-v00@openssh.com", yes, "ssh-ed25519", HOST_KEY.publicBlob, HOST_KEY.publicBlob, signature),
  auth("hostbased", "ssh-ed25519", HOST_KEY.publicBlob, "host", "user", signature),
  auth("gssapi-with-mic", uint32(1), "0123456789a"),
  describeMessage("USERAUTH_INFO_RESPONSE", M.USERAUTH_INFO_RESPONSE, uint32(1), PASSWORD),
  describeMessage("SERVICE_REQUEST", M.SERVICE_REQUEST, "ssh-userauth"),
];

export const runningMessages: readonly DescribedMessage[] = [
  open("session"),
  open("direct-tcpip", "127.0.0.1", uint32(1), "127.0.0.1", uint32(2)),
  open("x11", "127.0.0.1", uint32(1)),
  describeMessage("CHANNEL_WINDOW_ADJUST", M.CHANNEL_WINDOW_ADJUST, uint32(0), uint32(1)),
  describeMessage("CHANNEL_DATA", M.CHANNEL_DATA, uint32(0), "data"),
  describeMessage("CHANNEL_EXTENDED_DATA", M.CHANNEL_EXTENDED_DATA, uint32(0), uint32(1), "data"),
  describeMessage("CHANNEL_EOF", M.CHANNEL_EOF, uint32(0)),
  describeMessage("CHANNEL_CLOSE", M.CHANNEL_CLOSE, uint32(0)),
  onChannel("exec", "hold"),
  onChannel("shell"),
  onChannel("subsystem", "sftp"),
  onChannel("env", "NAME", "value"),
  onChannel("pty-req", "xterm", uint32(80), uint32(24), uint32(640), uint32(480), Buffer.from("010000000100", "hex")),
  onChannel("window-change", uint32(80), uint32(24), uint32(640), uint32(480)),
  onChannel("x11-req", no, "MIT-MAGIC-COOKIE-1", "00", uint32(0)),
  onChannel("signal", "INT"),
  onChannel("break", uint32(1000)),
  onChannel("exit-status", uint32(0)),
  onChannel("exit-signal", "TERM", no, "", ""),
  onChannel("xon-xoff", yes),
  onChannel("auth-agent-req@openssh.com"),
  onChannel("eow@openssh.com"),
  global("tcpip-forward", "127.0.0.1", uint32(0)),
  global("cancel-tcpip-forward", "127.0.0.1", uint32(1)),
  global("streamlocal-forward@openssh.com", "/tmp/socket"),
  global("no-more-sessions@openssh.com"),
  global("keepalive@openssh.com"),
  global("hostkeys-prove-00@openssh.com", HOST_KEY.publicBlob, rsa),
];

export const messagesAnywhere: readonly DescribedMessage[] = [
  describeMessage("DISCONNECT", M.DISCONNECT, uint32(11), "bye", "en"),
  describeMessage("IGNORE", M.IGNORE, "data"),
  describeMessage("UNIMPLEMENTED", M.UNIMPLEMENTED, uint32(1)),
  describeMessage("DEBUG", M.DEBUG, no, "text", "en"),
  describeMessage("PING", M.PING, "data"),
];

/** Before any service. */
export const serviceMessages: readonly DescribedMessage[] = [
  describeMessage("EXT_INFO", M.EXT_INFO, uint32(2), "ext-info-in-auth@openssh.com", "0", "server-sig-algs", "x"),
  describeMessage("SERVICE_REQUEST", M.SERVICE_REQUEST, "ssh-userauth"),
];

export const kexInit: DescribedMessage = describeMessage(
  "KEXINIT",
  M.KEXINIT,
  bytes(...Buffer.alloc(16)),
  "curve25519-sha256",
  "ssh-ed25519",
  "aes128-ctr",
  "aes128-ctr",
  "hmac-sha2-256",
  "hmac-sha2-256",
  "none",
  "none",
  "",
  "",
  no,
  uint32(0),
);

export const kexMessage: DescribedMessage = describeMessage("KEX_ECDH_INIT", M.KEX_ECDH_INIT, Buffer.alloc(32, 9));

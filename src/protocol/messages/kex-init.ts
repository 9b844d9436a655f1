import { MessageNumber } from "../constants.js";
import { Reader } from "../reader.js";
import { Writer } from "../writer.js";

/** SSH_MSG_KEXINIT (RFC 4253 §7.1), without the languages, which nobody uses. */
export interface KexInit {
  readonly kex: readonly string[];
  readonly hostKey: readonly string[];
  readonly cipherClientToServer: readonly string[];
  readonly cipherServerToClient: readonly string[];
  readonly macClientToServer: readonly string[];
  readonly macServerToClient: readonly string[];
  readonly compressionClientToServer: readonly string[];
  readonly compressionServerToClient: readonly string[];
  readonly firstKexPacketFollows: boolean;
}

/** The place of the cookie in a KEXINIT, bytes. */
export const kexInitCookie = { start: 1, end: 17 };

/** @throws {ProtocolError} when the payload is not a KEXINIT */
export function decodeKexInit(payload: Buffer): KexInit {
  const reader = new Reader(payload, kexInitCookie.start);
  reader.readBytes(kexInitCookie.end - kexInitCookie.start);
  const kexInit = {
    kex: reader.readNameList(),
    hostKey: reader.readNameList(),
    cipherClientToServer: reader.readNameList(),
    cipherServerToClient: reader.readNameList(),
    macClientToServer: reader.readNameList(),
    macServerToClient: reader.readNameList(),
    compressionClientToServer: reader.readNameList(),
    compressionServerToClient: reader.readNameList(),
  };
  reader.readString();
  reader.readString();
  const firstKexPacketFollows = reader.readBoolean();
  reader.readUint32();
  reader.end();
  return { ...kexInit, firstKexPacketFollows };
}

/** @param cookie 16 random bytes */
export function encodeKexInit(kexInit: KexInit, cookie: Buffer): Buffer {
  return new Writer(1024)
    .writeByte(MessageNumber.KEXINIT)
    .writeBytes(cookie)
    .writeNameList(kexInit.kex)
    .writeNameList(kexInit.hostKey)
    .writeNameList(kexInit.cipherClientToServer)
    .writeNameList(kexInit.cipherServerToClient)
    .writeNameList(kexInit.macClientToServer)
    .writeNameList(kexInit.macServerToClient)
    .writeNameList(kexInit.compressionClientToServer)
    .writeNameList(kexInit.compressionServerToClient)
    .writeNameList([])
    .writeNameList([])
    .writeBoolean(kexInit.firstKexPacketFollows)
    .writeUint32(0)
    .toBuffer();
}

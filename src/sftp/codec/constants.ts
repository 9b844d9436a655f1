// Numbers of the SSH File Transfer Protocol, version 3 (draft-ietf-secsh-filexfer-02).

/** The version that this server speaks, and all clients. */
export const SFTP_VERSION = 3;

/** Packet types (§3). */
export enum PacketType {
  INIT = 1,
  VERSION = 2,
  OPEN = 3,
  CLOSE = 4,
  READ = 5,
  WRITE = 6,
  LSTAT = 7,
  FSTAT = 8,
  SETSTAT = 9,
  FSETSTAT = 10,
  OPENDIR = 11,
  READDIR = 12,
  REMOVE = 13,
  MKDIR = 14,
  RMDIR = 15,
  REALPATH = 16,
  STAT = 17,
  RENAME = 18,
  READLINK = 19,
  SYMLINK = 20,
  STATUS = 101,
  HANDLE = 102,
  DATA = 103,
  NAME = 104,
  ATTRS = 105,
  EXTENDED = 200,
  EXTENDED_REPLY = 201,
}

/** Codes of SSH_FXP_STATUS (§7). */
export enum StatusCode {
  /** The request was done. */
  OK = 0,
  /** There is no more to read or to list. */
  EOF = 1,
  /** There is nothing of that name. */
  NO_SUCH_FILE = 2,
  /** The user may not do that. */
  PERMISSION_DENIED = 3,
  /** Any failure without a status of its own; its text says more. */
  FAILURE = 4,
  /** The request cannot be read. */
  BAD_MESSAGE = 5,
  /** Of clients, for themselves: they have no connection. Servers do not send it. */
  NO_CONNECTION = 6,
  /** Of clients, for themselves: they have lost the connection. Servers do not send it. */
  CONNECTION_LOST = 7,
  /** The server, or the file system, does not support the operation. */
  OP_UNSUPPORTED = 8,
}

/** `pflags` of SSH_FXP_OPEN (§6.3). */
export const OpenFlag = {
  READ: 0x01,
  WRITE: 0x02,
  APPEND: 0x04,
  CREAT: 0x08,
  TRUNC: 0x10,
  EXCL: 0x20,
} as const;

/** `flags` of ATTRS (§5). */
export const AttributeFlag = {
  SIZE: 0x01,
  UIDGID: 0x02,
  PERMISSIONS: 0x04,
  ACMODTIME: 0x08,
  EXTENDED: 0x80000000,
} as const;

/** Most bytes of a packet behind its length, as OpenSSH's server and client have it. */
export const MAX_PACKET_LENGTH = 256 * 1024;

/** Most bytes of data in one READ or WRITE: a packet, less room for the other fields (as OpenSSH announces it). */
export const MAX_DATA_LENGTH = MAX_PACKET_LENGTH - 1024;

/**
 * The numbers of the SSH protocol and the values that server hooks return.
 *
 * Sources: RFC 4250 §4, RFC 4252 §6, RFC 4253 §12, RFC 4254 §9, RFC 4256 §5, RFC 4419 §5, RFC 5656 §7.1, RFC 8308 §2.3,
 * OpenSSH PROTOCOL §1.9 (ping).
 */

/** The hook accepts this authentication request; only exactly this value lets anyone in. */
export const AUTH_SUCCESSFUL = 0 as const;
/** One factor was proven, but more are needed: `partial_success` is set in the reply (RFC 4252 §5.1). */
export const AUTH_PARTIAL = 1 as const;
/** The hook refuses this authentication request. */
export const AUTH_FAILED = 2 as const;

/** What a hook answers to an attempt to log in. */
export type AuthResult = typeof AUTH_SUCCESSFUL | typeof AUTH_PARTIAL | typeof AUTH_FAILED;

/** `checkChannelRequest` result: the channel is opened. */
export const OPEN_SUCCEEDED = 0 as const;
/** SSH_MSG_CHANNEL_OPEN_FAILURE reasons (RFC 4254 §5.1), the other results of `checkChannelRequest`. */
export const OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED = 1 as const;
/** The channel is refused: its target cannot be reached. */
export const OPEN_FAILED_CONNECT_FAILED = 2 as const;
/** The channel is refused: there are no channels of this type. */
export const OPEN_FAILED_UNKNOWN_CHANNEL_TYPE = 3 as const;
/** The channel is refused: the server has no room for it now. */
export const OPEN_FAILED_RESOURCE_SHORTAGE = 4 as const;

/** SSH_MSG_DISCONNECT reasons (RFC 4253 §11.1). */
export const DisconnectReason = {
  HOST_NOT_ALLOWED_TO_CONNECT: 1,
  PROTOCOL_ERROR: 2,
  KEY_EXCHANGE_FAILED: 3,
  RESERVED: 4,
  MAC_ERROR: 5,
  COMPRESSION_ERROR: 6,
  SERVICE_NOT_AVAILABLE: 7,
  PROTOCOL_VERSION_NOT_SUPPORTED: 8,
  HOST_KEY_NOT_VERIFIABLE: 9,
  CONNECTION_LOST: 10,
  BY_APPLICATION: 11,
  TOO_MANY_CONNECTIONS: 12,
  AUTH_CANCELLED_BY_USER: 13,
  NO_MORE_AUTH_METHODS_AVAILABLE: 14,
  ILLEGAL_USER_NAME: 15,
} as const;
/** A number by which one side tells why it ends the connection (RFC 4253 §11.1). */
export type DisconnectReason = (typeof DisconnectReason)[keyof typeof DisconnectReason];

/** SSH message numbers. 30–49 belong to the key exchange method in use, 60–79 to the authentication method. */
export const MessageNumber = {
  DISCONNECT: 1,
  IGNORE: 2,
  UNIMPLEMENTED: 3,
  DEBUG: 4,
  SERVICE_REQUEST: 5,
  SERVICE_ACCEPT: 6,
  EXT_INFO: 7,
  NEWCOMPRESS: 8,
  KEXINIT: 20,
  NEWKEYS: 21,
  KEX_FIRST: 30,
  KEX_ECDH_INIT: 30,
  KEX_ECDH_REPLY: 31,
  KEX_DH_GEX_GROUP: 31,
  KEX_DH_GEX_INIT: 32,
  KEX_DH_GEX_REPLY: 33,
  KEX_DH_GEX_REQUEST: 34,
  KEX_LAST: 49,
  USERAUTH_REQUEST: 50,
  USERAUTH_FAILURE: 51,
  USERAUTH_SUCCESS: 52,
  USERAUTH_BANNER: 53,
  USERAUTH_PK_OK: 60,
  USERAUTH_PASSWD_CHANGEREQ: 60,
  USERAUTH_INFO_REQUEST: 60,
  USERAUTH_INFO_RESPONSE: 61,
  GLOBAL_REQUEST: 80,
  REQUEST_SUCCESS: 81,
  REQUEST_FAILURE: 82,
  CHANNEL_OPEN: 90,
  CHANNEL_OPEN_CONFIRMATION: 91,
  CHANNEL_OPEN_FAILURE: 92,
  CHANNEL_WINDOW_ADJUST: 93,
  CHANNEL_DATA: 94,
  CHANNEL_EXTENDED_DATA: 95,
  CHANNEL_EOF: 96,
  CHANNEL_CLOSE: 97,
  CHANNEL_REQUEST: 98,
  CHANNEL_SUCCESS: 99,
  CHANNEL_FAILURE: 100,
  PING: 192,
  PONG: 193,
} as const;

/** SSH_EXTENDED_DATA_STDERR (RFC 4254 §5.2). */
export const EXTENDED_DATA_STDERR = 1;

/** Largest packet_length that is believed, bytes (RFC 4253 §6.1 asks for at least 35,000; OpenSSH accepts 256 KiB). */
export const MAX_PACKET_LENGTH = 256 * 1024;

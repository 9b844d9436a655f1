import { MessageNumber as M } from "../protocol/constants.js";
import {
  type Disposition,
  dispositions,
  keyExchangeMessages,
  type PhaseTable,
  range,
  transportMessages,
} from "./phases.js";

/** The messages that a client may send to a server. */
export const serverPhases: PhaseTable = {
  "initial-key-exchange": dispositions([...transportMessages, ...keyExchangeMessages], "unimplemented"),
  "strict-initial-key-exchange": dispositions([M.DISCONNECT, ...keyExchangeMessages], "forbidden"),
  service: dispositions([...transportMessages, M.KEXINIT, M.EXT_INFO, M.SERVICE_REQUEST, M.PING], "unimplemented"),
  authentication: dispositions(
    // Paramiko asks for the service again before each of its attempts.
    [...transportMessages, M.KEXINIT, M.PING, M.SERVICE_REQUEST, M.USERAUTH_REQUEST, M.USERAUTH_INFO_RESPONSE],
    "unimplemented",
  ),
  running: dispositions(
    [
      ...transportMessages,
      M.KEXINIT,
      M.PING,
      ...range(M.GLOBAL_REQUEST, M.REQUEST_FAILURE),
      ...range(M.CHANNEL_OPEN, M.CHANNEL_FAILURE),
    ],
    "unimplemented",
    new Map<number, Disposition>([
      // Authentication requests after success are silently ignored (RFC 4252 §5.1); so are answers that come too late.
      [M.USERAUTH_REQUEST, "ignored"],
      [M.USERAUTH_INFO_RESPONSE, "ignored"],
      // It answers nothing: this server sends no PING.
      [M.PONG, "ignored"],
      // Conch asks for the service of authentication again after each key exchange, and takes this answer, as sshd's.
      [M.SERVICE_REQUEST, "unimplemented"],
    ]),
  ),
  rekeying: dispositions(
    [
      ...transportMessages,
      M.NEWKEYS,
      ...range(M.KEX_FIRST, M.KEX_LAST),
      // Not allowed by RFC 4253 §7.1, but AsyncSSH as Debian 12 has it goes on sending data. The windows bound it.
      ...range(M.CHANNEL_WINDOW_ADJUST, M.CHANNEL_CLOSE),
    ],
    "unimplemented",
  ),
  "rekeying-unauthenticated": dispositions(
    [...transportMessages, M.NEWKEYS, ...range(M.KEX_FIRST, M.KEX_LAST)],
    "unimplemented",
  ),
};

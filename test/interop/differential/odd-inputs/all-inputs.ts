import { authenticationInputs } from "./authentication.js";
import { channelDataInputs } from "./channel-data.js";
import { channelOpenInputs } from "./channel-open.js";
import { channelRequestInputs } from "./channel-requests.js";
import { globalRequestInputs } from "./global-requests.js";
import { identificationInputs } from "./identification.js";
import { kexInitInputs } from "./kexinit.js";
import { keyExchangeInputs } from "./key-exchange.js";
import type { OddInput } from "./odd-input.js";
import { publicKeyInputs } from "./public-key.js";
import { rekeyingInputs } from "./rekeying.js";
import { serviceRequestInputs } from "./service-request.js";
import { sftpInputs } from "./sftp.js";
import { transportMessageInputs } from "./transport-messages.js";

/** By phase of a connection. */
export const ODD_INPUTS: Readonly<Record<string, readonly OddInput[]>> = {
  identification: identificationInputs,
  "the first KEXINIT": kexInitInputs,
  "the first key exchange": keyExchangeInputs,
  "the request for a service": serviceRequestInputs,
  authentication: authenticationInputs,
  "public keys": publicKeyInputs,
  "messages of the transport": transportMessageInputs,
  "global requests": globalRequestInputs,
  "the opening of channels": channelOpenInputs,
  "channel requests": channelRequestInputs,
  "data, windows and ends of channels": channelDataInputs,
  "re-keying": rekeyingInputs,
  SFTP: sftpInputs,
};

import { encodeExtInfo } from "../protocol/messages/ext-info.js";
import { encodeKexInit, type KexInit, kexInitCookie } from "../protocol/messages/kex-init.js";
import type { AlgorithmPreferences } from "./algorithms.js";
import { fillRandom } from "./random-bytes.js";
import type { Role } from "./role.js";

/** What a side tells its peers of its algorithms: the same on all connections, so it is put together once. */
export interface Offer {
  readonly firstExchange: OfferedAlgorithms;
  readonly laterExchanges: OfferedAlgorithms;
  /** SSH_MSG_EXT_INFO. */
  readonly extInfo: Buffer;
}

export class OfferedAlgorithms {
  readonly kexInit: KexInit;
  readonly #payload: Buffer;

  constructor(kexInit: KexInit) {
    this.kexInit = kexInit;
    this.#payload = encodeKexInit(kexInit, Buffer.alloc(kexInitCookie.end - kexInitCookie.start));
  }

  /** A KEXINIT with a cookie of its own. */
  freshPayload(): Buffer {
    const payload = Buffer.from(this.#payload);
    fillRandom(payload, kexInitCookie.start, kexInitCookie.end);
    return payload;
  }
}

/** The last one of each role, with the algorithms that it is for. */
const offers = new WeakMap<Role, { readonly algorithms: AlgorithmPreferences; readonly offer: Offer }>();

export function offerOf(role: Role, algorithms: AlgorithmPreferences): Offer {
  const known = offers.get(role);
  if (known?.algorithms === algorithms) return known.offer;
  const offer = createOffer(role, algorithms);
  offers.set(role, { algorithms, offer });
  return offer;
}

function createOffer(role: Role, algorithms: AlgorithmPreferences): Offer {
  const { kex, hostKey, cipher, mac, compression } = algorithms;
  const { extInfo, strict } = role.ownMarkers;
  const later: KexInit = {
    kex,
    hostKey: role.hostKeyAlgorithms(hostKey),
    cipherClientToServer: cipher,
    cipherServerToClient: cipher,
    macClientToServer: mac,
    macServerToClient: mac,
    compressionClientToServer: compression,
    compressionServerToClient: compression,
    firstKexPacketFollows: false,
  };
  return {
    firstExchange: new OfferedAlgorithms({ ...later, kex: [...kex, extInfo, strict] }),
    laterExchanges: new OfferedAlgorithms(later),
    extInfo: encodeExtInfo(role.extensions(algorithms)),
  };
}

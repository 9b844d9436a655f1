import { expect, it } from "vitest";
import type { Addon, AddonOpener, AddonSealer, NativeKeys } from "../../../../src/base/addon.js";
import { differences } from "../../../../src/crypto/cipher/native/self-check.js";
import { needs } from "../../../support/clients.js";
import { addon as built } from "../packets.js";

/** The addon, with something done to each packet once it is sealed. */
function changed(change: (cipher: string, array: Uint8Array, sequenceNumber: number) => void): Addon {
  if (built === undefined) throw new Error("the addon is not there");
  const { Sealer } = built;
  return {
    ...built,
    Sealer: class implements AddonSealer {
      readonly #sealer: AddonSealer;
      readonly #cipher: string;
      constructor(...keys: NativeKeys) {
        this.#cipher = keys[0];
        this.#sealer = new Sealer(...keys);
      }
      seal(array: Uint8Array, offset: number, length: number, sequenceNumber: number): void {
        this.#sealer.seal(array, offset, length, sequenceNumber);
        change(this.#cipher, array, sequenceNumber);
      }
      destroy(): void {
        this.#sealer.destroy();
      }
    },
  };
}

it("finds nothing wrong with an addon that is right", needs("cc"), () => {
  expect(differences(changed(() => {}))).toEqual([]);
});

it("finds ciphers that are wrong from the second packet on", needs("cc"), () => {
  const addon = changed((cipher, array, sequenceNumber) => {
    if (cipher === "aes-gcm" && sequenceNumber > 0) array[20] = ~(array[20] ?? 0);
  });
  expect(differences(addon)).toEqual(["aes128-gcm@openssh.com", "aes256-gcm@openssh.com"]);
});

it("finds ciphers that do not work at all", needs("cc"), () => {
  const addon = changed((cipher) => {
    if (cipher === "aes-ctr encrypt-and-mac") throw new Error("OpenSSL has failed");
  });
  expect(differences(addon)).toEqual(["128", "192", "256"].map((bits) => `aes${bits}-ctr with hmac-sha2-512`));
});

/** The addon, with another answer to whether a tag is right. */
function judging(judge: (cipher: string, isRight: boolean) => boolean): Addon {
  if (built === undefined) throw new Error("the addon is not there");
  const { Opener } = built;
  return {
    ...built,
    Opener: class implements AddonOpener {
      readonly #opener: AddonOpener;
      readonly #cipher: string;
      constructor(...keys: NativeKeys) {
        this.#cipher = keys[0];
        this.#opener = new Opener(...keys);
      }
      readLength(...parameters: Parameters<AddonOpener["readLength"]>): number {
        return this.#opener.readLength(...parameters);
      }
      open(...parameters: Parameters<AddonOpener["open"]>): boolean {
        return judge(this.#cipher, this.#opener.open(...parameters));
      }
      destroy(): void {
        this.#opener.destroy();
      }
    },
  };
}

it("finds ciphers that take a wrong tag", needs("cc"), () => {
  expect(differences(judging((_, isRight) => isRight))).toEqual([]);
  const addon = judging((cipher, isRight) => isRight || cipher === "chacha20-poly1305");
  expect(differences(addon)).toEqual(["chacha20-poly1305@openssh.com"]);
});

it("finds ciphers that refuse a right tag", needs("cc"), () => {
  const addon = judging((cipher, isRight) => isRight && cipher !== "aes-gcm");
  expect(differences(addon)).toEqual(["aes128-gcm@openssh.com", "aes256-gcm@openssh.com"]);
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { computeShaCrypt } from "../../../src/authenticators/passwords/sha-crypt.js";

/** By libxcrypt, of so many times "p" with the salt "sa" and of so many "q" with "saltsaltsalt"; 1000 rounds. */
const LENGTHS = [
  [
    0,
    "m0RcFWJjPBK0iaDDEAGKkIjEaY3qxcmpw.v9/PnZJNA",
    "jxnogIQ/ZL1VZvOq.y4pEmHbq9HrJCPi245SX3By9oliRmTRmr27wLZvHrX/a3nPa2M9z4voBU0NX95w6kzQO/",
  ],
  [
    1,
    "BAwme/.8hhEI3tZO64xYEtQyBsul1kj6Q4JW0shrXs5",
    "/ts.TdVtiGT/bSviKg5e3Y7Tgf5KHQ/Ldd.P/6oqsSfAVmE45H2io.VnLtTIkV8nij3y3soH5uyG6tAwMQ33E/",
  ],
  [
    15,
    "4HZ5g7KrrKBCrgj8MEaigRVbz9UfiVhv/6A2w4dJfN3",
    "Sy3yYDKfsIRI3iZlV2TSPzrSgoP10wokTHRnvuvR8o1sd4WOaRqlp550xu1dmCExSDAWWkNF3/rgf7Bbifa9x/",
  ],
  [
    16,
    "liXIZ4hhDa9KYjrF1BiVDgx9T0lHVAXiaTbL0reWKE/",
    "/FScp1o3pt6CEKld5kBgvMxtfI2g5jsZoo1anFarPe6N00Yp3OvfafuYY2oyoxJOImeYbzOni/PUyQQ2mJzeJ/",
  ],
  [
    31,
    "ENOft2lx4jLVkv6HWoS3Vwm4UCmWYwhEl.eW6l5h7M3",
    "xfEiuIG8uBmcsQ0lYatK5qSe9NIEp5V0BlQKKrmJWAkYo23a1jGSdw6k/y5R/RE1ju.NlKWkmFMDEY7alKNf9.",
  ],
  [
    32,
    "8dRnoH.886hmLTmdQx1oGjWK36KkalmYHpZNdtTXVB0",
    "BSC/MWXuAmNcFFfcWK1MU7M0bJetHihkNRz36YgdsH29RyvjiV5UFgRhiYjXg6XMrWQWECYiXwViUIiFHuNcP/",
  ],
  [
    33,
    "TsaQ7tjqBwEilEBbg3VSCRFNMoUNyQhqo16wozpL3k7",
    "fJ5CWtpYmZA4Kevnc5HqscG9acjYwR6WT7TaXMSh9SzDmZBBxEecJ4MHeKVtCeXk.CMFFjX9fSWXmYOnXGIur1",
  ],
  [
    63,
    "5Jtc4Ty.S3q.2Whulol3L3VhqDbt2vtcepyC2ack0p8",
    "OSg43/BszzTqDv1PGD1y66fyL6vWpyb1PCWpKKMi1306cw0Enn34TzuRuGHqIl6ZiGptOgbLpFMAJmd9WMwUi/",
  ],
  [
    64,
    "z7Q4OU4SjDRUA3kScPqcjol6nzo0RWpyxzMEfe3HxlA",
    "Dpp.xTJZ65rjgcegnapluPSKUEvYnRYEYTHywZxq2bKnoRL7qFWey/..IjEEaAd/5h6y.emJDJy10nweL3Z0J1",
  ],
  [
    65,
    "iyHqr9szLV6NGatMxir/1A.e0yiKPJua2VLtq83dpS7",
    "LojYaIwamfJ/QxBEpC2tXkAtEtizMEvda/auDuTM5qjwCfD93bP9niuUB/k4fHyLH/82DtcxUaam78ghQWkOY/",
  ],
  [
    127,
    "ZlvxcqWQjeJrRJJ8RAh99Q2A5g0lK0jKQXZl6TJP9a4",
    "BitvejWT1n23yLdPnDRckSTHpgCP7Jl.ocmLDfDl5damYjzYLpufx1.EFaC/rJaLIXCjg0caK8VC4H2vVg3Wa0",
  ],
  [
    128,
    "VSJ1wZ2kT2JvSuaypTrjf9oFvpxhgBd9TDUHYRrclcD",
    "hBXNSCt5GhiUACB/IBNtfMrVp0KcBr3kEqnBpUxJVIbxycLCHJ3HExGK1TBNB5xS7wQbUKfYqHkOWC1wAlRZq1",
  ],
  [
    200,
    "LjidPeW0OcLwUb9aznvYF7dsmaEmd9m3DnWdSr7OJ59",
    "OxHO7t0RqNiboIeEZUSY2GZCcjxt27xGXzruYDpEsybbqXstOv31mcXbL5dYUIV2DSFlb4GR7Yk.FooqmwugO.",
  ],
  [
    511,
    "X7nBbuCE3Uij2UOw.hBphreL0dra.jyWfyiSvQ1afTC",
    "xSM4PhdPtXrrV9oMtZTIb2zewKK2Oz6o8NOpfEu1PeeSQPN4G6ZbzLQnIB2hamYaUX//8bnAibYS62SlvAuWa1",
  ],
] as const;

/** The specification's own, but for its rounds below 1000. */
const SPECIFIED = [
  ["sha256", "Hello world!", "saltstring", 5000, "5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"],
  ["sha256", "Hello world!", "saltstringsaltst", 10000, "3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA"],
  [
    "sha512",
    "Hello world!",
    "saltstring",
    5000,
    "svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
  ],
  [
    "sha512",
    "Hello world!",
    "saltstringsaltst",
    10000,
    "OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.",
  ],
] as const;

const input = (password: string, salt: string, rounds: number) => ({
  password: Buffer.from(password),
  salt: Buffer.from(salt),
  rounds,
});

describe("computeShaCrypt", () => {
  it.each(SPECIFIED)("is %s crypt of %j, %s, %i rounds", async (algorithm, password, salt, rounds, hash) => {
    expect(await computeShaCrypt(algorithm, input(password, salt, rounds))).toBe(hash);
  });

  it.each(LENGTHS)("hashes %i bytes as libxcrypt does", async (length, sha256, sha512) => {
    expect(await computeShaCrypt("sha256", input("p".repeat(length), "sa", 1000))).toBe(sha256);
    expect(await computeShaCrypt("sha512", input("q".repeat(length), "saltsaltsalt", 1000))).toBe(sha512);
  });

  it("makes another hash of another password or salt", () =>
    fc.assert(
      fc.asyncProperty(fc.string({ maxLength: 40 }), fc.string({ maxLength: 40 }), async (one, other) => {
        const [first, second, third] = await Promise.all([
          computeShaCrypt("sha512", input(one, "saltsalt", 50)),
          computeShaCrypt("sha512", input(other, "saltsalt", 50)),
          computeShaCrypt("sha512", input(one, "saltsalT", 50)),
        ]);
        expect(first === second).toBe(one === other);
        expect(third).not.toBe(first);
      }),
    ));

  it("gives all else its turn, and stops when nobody waits any more", async () => {
    const leaving = new AbortController();
    let turns = 0;
    const count = () => {
      turns++;
      if (turns === 20) leaving.abort();
      else setImmediate(count);
    };
    setImmediate(count);
    // So many rounds take minutes.
    expect(await computeShaCrypt("sha512", input("secret", "saltsalt", 1e8), leaving.signal)).toBeUndefined();
    expect(turns).toBe(20);
  });
});

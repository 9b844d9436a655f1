/** A hash that another program has made. */
export interface KnownHash {
  readonly program: string;
  readonly password: string;
  readonly hash: string;
}

/** Those of the password `secret` that the tests log in with, one for each kind, as cheap as is allowed. */
export const KNOWN_HASHES = {
  scrypt: {
    program: "hashlib.scrypt of Python",
    password: "secret",
    hash: "$scrypt$ln=14,r=8,p=1$cHl0aG9uJ3Mgc2FsdCAxNg$xx5apJmJzBtpu8x4gMi1GuUqGJ1OCtkn3IPAcvqW0n8",
  },
  bcrypt: {
    program: "htpasswd -nbB -C 10",
    password: "secret",
    hash: "$2y$10$p.xm5AgAZkRWtIAr0n1kfOIHKQLpM205fVLFaSwB.i7is7OGjaKqC",
  },
  argon2id: {
    program: "argon2 -id -m 15 -t 2 -p 1",
    password: "secret",
    hash: "$argon2id$v=19$m=32768,t=2,p=1$c29tZXNhbHQxNmJ5dGVzLg$VpFHgZfB0QUlHTKN8Ko36blHkfX28vZ7gCk1O8PvwfQ",
  },
  argon2i: {
    program: "argon2 -i -m 15 -t 2 -p 2",
    password: "secret",
    hash: "$argon2i$v=19$m=32768,t=2,p=2$c29tZXNhbHQxNmJ5dGVzLg$HzKH4Vogt9rHB7h7WPPBo72mizDHmFM1SXJYii+0dxU",
  },
  argon2d: {
    program: "argon2 -d -m 15 -t 2 -p 1",
    password: "secret",
    hash: "$argon2d$v=19$m=32768,t=2,p=1$c29tZXNhbHQxNmJ5dGVzLg$8ErK+/tSxy8PeVN4uPIgIPB8BXxHdkLVCC609ESyIks",
  },
  "SHA-256 crypt": {
    program: "mkpasswd -m sha-256 -R 10000",
    password: "secret",
    hash: "$5$rounds=10000$0123456789abcdef$l3iiXOrZ/UGj6RlK0Fdij.AkLNj1kDYLLD9q54CCK.3",
  },
  "SHA-512 crypt": {
    program: "openssl passwd -6",
    password: "secret",
    hash: "$6$opensslsalt$RYp6MntZMSU.gp5umToWAut5JOaOhj4BuCIG4bPvwUyU6JcyI1ElKFBvv6sliaewhCILuowLcf.a/6q65AIZ91",
  },
} as const satisfies Readonly<Record<string, KnownHash>>;

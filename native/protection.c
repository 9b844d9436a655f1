#include "protection.h"

#include <stdlib.h>
#include <string.h>

#include "openssl.h"

#define BLOCK 16
#define AES_256_KEY 32
#define GCM_IV 12
/* Where the counter of packets starts in it (RFC 5647 section 7.1). */
#define GCM_COUNTER 4
#define AEAD_TAG 16
#define LONGEST_TAG 64
#define CHACHA20_KEY 32
/* Counter of blocks (64 bits, little-endian), then the nonce (64 bits, big-endian). */
#define CHACHA20_IV 16
#define CHACHA20_BLOCK 64
#define LONGEST_KEY (2 * CHACHA20_KEY)

/* A context that has the keys of whoever used it last. */
struct shared_cipher {
  EVP_CIPHER_CTX *context;
  const struct protection *user;
};

/*
 * A context of OpenSSL is a kibibyte, and an idle connection would hold several: where nothing but the keys lasts from one
 * packet to the next, all connections share one, which is given the keys when another has used it.
 */
struct contexts {
  size_t holders;
  struct shared_cipher chacha20;
  EVP_MAC_CTX *poly1305;
  /* By direction, of AES-128 and AES-256. */
  struct shared_cipher gcm[2][2];
};

struct protection {
  enum cipher cipher;
  enum direction direction;
  size_t tag_length;
  struct contexts *contexts;
  /* Of the ciphers that share a context. */
  struct shared_cipher *shared;
  uint8_t key[LONGEST_KEY];
  size_t key_length;
  uint8_t gcm_iv[GCM_IV];
  /* Of AES in counter mode only, whose key stream goes on from packet to packet. */
  EVP_CIPHER_CTX *content;
  HMAC_CTX *hmac;
  /* Where the length is encrypted with what follows it: decrypted, from read_length until open. */
  uint8_t first_block[BLOCK];
  bool first_block_read;
  bool failed;
};

static const uint8_t zeros[CHACHA20_BLOCK];

static void write_uint32(uint8_t *out, uint32_t value) {
  for (int index = 3; index >= 0; index--, value >>= 8) out[index] = (uint8_t)value;
}

static uint32_t read_uint32(const uint8_t *in) {
  return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

static bool crypt(EVP_CIPHER_CTX *context, uint8_t *out, const uint8_t *in, size_t length) {
  int written;
  return length == 0 || openssl.EVP_CipherUpdate(context, out, &written, in, (int)length) == 1;
}

static const EVP_CIPHER *evp_cipher(enum cipher cipher, size_t key_length) {
  switch (cipher) {
    case CHACHA20_POLY1305:
      return key_length == 2 * CHACHA20_KEY ? openssl.EVP_chacha20() : NULL;
    case AES_GCM:
      return key_length == 16 ? openssl.EVP_aes_128_gcm() : key_length == 32 ? openssl.EVP_aes_256_gcm() : NULL;
    case AES_CTR_ENCRYPT_THEN_MAC:
    case AES_CTR_ENCRYPT_AND_MAC:
      return key_length == 16   ? openssl.EVP_aes_128_ctr()
             : key_length == 24 ? openssl.EVP_aes_192_ctr()
             : key_length == 32 ? openssl.EVP_aes_256_ctr()
                                : NULL;
  }
  return NULL;
}

static EVP_CIPHER_CTX *new_cipher(const EVP_CIPHER *cipher, const uint8_t *key, const uint8_t *iv, int encrypts) {
  EVP_CIPHER_CTX *context = openssl.EVP_CIPHER_CTX_new();
  if (context != NULL && openssl.EVP_CipherInit_ex(context, cipher, NULL, key, iv, encrypts) == 1) return context;
  openssl.EVP_CIPHER_CTX_free(context);
  return NULL;
}

/* Gives the shared context an IV, and a key unless that is NULL: it has this one's. */
static bool begin(struct protection *self, const uint8_t *key, const uint8_t *iv) {
  struct shared_cipher *shared = self->shared;
  bool begun;
  if (shared->context != NULL) {
    begun = openssl.EVP_CipherInit_ex(shared->context, NULL, NULL, key, iv, -1) == 1;
  } else {
    shared->context = new_cipher(evp_cipher(self->cipher, self->key_length), key, iv, self->direction);
    begun = shared->context != NULL;
  }
  shared->user = begun ? self : NULL;
  return begun;
}

/* ChaCha20-Poly1305, as OpenSSH's PROTOCOL.chacha20poly1305 defines it */

static bool chacha20_start(struct protection *self, const uint8_t *key, uint32_t sequence_number) {
  uint8_t iv[CHACHA20_IV] = {0};
  write_uint32(iv + CHACHA20_IV - 4, sequence_number);
  return begin(self, key, iv);
}

/* The length is encrypted under a key of its own, the second. */
static bool chacha20_length(struct protection *self, uint8_t *out, const uint8_t *in, uint32_t sequence_number) {
  return chacha20_start(self, self->key + CHACHA20_KEY, sequence_number) &&
         crypt(self->shared->context, out, in, LENGTH_FIELD);
}

/* Starts the key stream of the content: its first block holds the key of the tag, and the content's follow. */
static bool poly1305_start(struct protection *self, uint32_t sequence_number) {
  uint8_t block[CHACHA20_BLOCK];
  bool done = chacha20_start(self, self->key, sequence_number) &&
              crypt(self->shared->context, block, zeros, sizeof block) &&
              openssl.EVP_MAC_init(self->contexts->poly1305, block, CHACHA20_KEY, NULL) == 1;
  openssl.OPENSSL_cleanse(block, sizeof block);
  return done;
}

static bool poly1305_add(struct protection *self, const uint8_t *data, size_t length) {
  return length == 0 || openssl.EVP_MAC_update(self->contexts->poly1305, data, length) == 1;
}

static bool poly1305_end(struct protection *self, uint8_t *tag) {
  size_t length;
  return openssl.EVP_MAC_final(self->contexts->poly1305, tag, &length, AEAD_TAG) == 1;
}

static bool chacha20_poly1305_seal(struct protection *self, uint8_t *packet, size_t end, uint32_t sequence_number) {
  return chacha20_length(self, packet, packet, sequence_number) && poly1305_start(self, sequence_number) &&
         crypt(self->shared->context, packet + LENGTH_FIELD, packet + LENGTH_FIELD, end - LENGTH_FIELD) &&
         poly1305_add(self, packet, end) && poly1305_end(self, packet + end);
}

static enum result chacha20_poly1305_open(struct protection *self, uint8_t *packet, size_t end,
                                          uint32_t sequence_number) {
  uint8_t expected[AEAD_TAG];
  uint8_t *content = packet + LENGTH_FIELD;
  if (!poly1305_start(self, sequence_number) || !poly1305_add(self, packet, end) || !poly1305_end(self, expected)) {
    return FAILED;
  }
  if (openssl.CRYPTO_memcmp(packet + end, expected, AEAD_TAG) != 0) return WRONG_TAG;
  return crypt(self->shared->context, content, content, end - LENGTH_FIELD) ? DONE : FAILED;
}

/* AES-GCM, as RFC 5647 and OpenSSH's PROTOCOL section 1.6 define it */

static bool gcm_start(struct protection *self, const uint8_t *length_field) {
  int written;
  if (!begin(self, self->shared->user == self ? NULL : self->key, self->gcm_iv)) return false;
  for (size_t index = GCM_IV; index-- > GCM_COUNTER && ++self->gcm_iv[index] == 0;) {
  }
  return openssl.EVP_CipherUpdate(self->shared->context, NULL, &written, length_field, LENGTH_FIELD) == 1;
}

static bool gcm_seal(struct protection *self, uint8_t *packet, size_t end) {
  uint8_t nothing[BLOCK];
  int written;
  return gcm_start(self, packet) &&
         crypt(self->shared->context, packet + LENGTH_FIELD, packet + LENGTH_FIELD, end - LENGTH_FIELD) &&
         openssl.EVP_CipherFinal_ex(self->shared->context, nothing, &written) == 1 &&
         openssl.EVP_CIPHER_CTX_ctrl(self->shared->context, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG, packet + end) == 1;
}

static enum result gcm_open(struct protection *self, uint8_t *packet, size_t end) {
  uint8_t nothing[BLOCK];
  int written;
  uint8_t *content = packet + LENGTH_FIELD;
  if (!gcm_start(self, packet) || !crypt(self->shared->context, content, content, end - LENGTH_FIELD) ||
      openssl.EVP_CIPHER_CTX_ctrl(self->shared->context, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG, packet + end) != 1) {
    return FAILED;
  }
  return openssl.EVP_CipherFinal_ex(self->shared->context, nothing, &written) == 1 ? DONE : WRONG_TAG;
}

/* AES in counter mode with HMAC (RFC 4344 section 4, RFC 4253 section 6.4, OpenSSH's PROTOCOL section 1.5) */

static bool hmac_start(struct protection *self, uint32_t sequence_number) {
  uint8_t field[4];
  write_uint32(field, sequence_number);
  return openssl.HMAC_Init_ex(self->hmac, NULL, 0, NULL, NULL) == 1 &&
         openssl.HMAC_Update(self->hmac, field, sizeof field) == 1;
}

static bool hmac_add(struct protection *self, const uint8_t *data, size_t length) {
  return length == 0 || openssl.HMAC_Update(self->hmac, data, length) == 1;
}

static bool hmac_seal(struct protection *self, uint8_t *packet, size_t end, uint32_t sequence_number) {
  return hmac_start(self, sequence_number) && hmac_add(self, packet, end) &&
         openssl.HMAC_Final(self->hmac, packet + end, NULL) == 1;
}

static enum result hmac_check(struct protection *self, const uint8_t *tag) {
  uint8_t expected[LONGEST_TAG];
  if (openssl.HMAC_Final(self->hmac, expected, NULL) != 1) return FAILED;
  return openssl.CRYPTO_memcmp(tag, expected, self->tag_length) == 0 ? DONE : WRONG_TAG;
}

static bool ctr_seal(struct protection *self, uint8_t *packet, size_t end, uint32_t sequence_number) {
  if (self->cipher == AES_CTR_ENCRYPT_THEN_MAC) {
    return crypt(self->content, packet + LENGTH_FIELD, packet + LENGTH_FIELD, end - LENGTH_FIELD) &&
           hmac_seal(self, packet, end, sequence_number);
  }
  return hmac_seal(self, packet, end, sequence_number) && crypt(self->content, packet, packet, end);
}

static enum result encrypt_then_mac_open(struct protection *self, uint8_t *packet, size_t end,
                                         uint32_t sequence_number) {
  uint8_t *content = packet + LENGTH_FIELD;
  if (!hmac_start(self, sequence_number) || !hmac_add(self, packet, end)) return FAILED;
  enum result result = hmac_check(self, packet + end);
  if (result != DONE) return result;
  return crypt(self->content, content, content, end - LENGTH_FIELD) ? DONE : FAILED;
}

static enum result encrypt_and_mac_open(struct protection *self, uint8_t *packet, size_t end,
                                        uint32_t sequence_number) {
  if (!crypt(self->content, packet + BLOCK, packet + BLOCK, end - BLOCK)) return FAILED;
  memcpy(packet, self->first_block, BLOCK);
  if (!hmac_start(self, sequence_number) || !hmac_add(self, packet, end)) return FAILED;
  return hmac_check(self, packet + end);
}

/* Of all ciphers */

static bool start_chacha20_poly1305(struct protection *self, const struct keys *keys) {
  if (keys->iv.length != 0 || keys->mac.length != 0) return false;
  if (self->contexts->poly1305 == NULL) {
    EVP_MAC *poly1305 = openssl.EVP_MAC_fetch(NULL, "POLY1305", NULL);
    if (poly1305 == NULL) return false;
    self->contexts->poly1305 = openssl.EVP_MAC_CTX_new(poly1305);
    openssl.EVP_MAC_free(poly1305);
  }
  self->tag_length = AEAD_TAG;
  self->shared = &self->contexts->chacha20;
  return self->contexts->poly1305 != NULL && chacha20_start(self, self->key, 0);
}

static bool start_gcm(struct protection *self, const struct keys *keys) {
  if (keys->iv.length != GCM_IV || keys->mac.length != 0) return false;
  self->tag_length = AEAD_TAG;
  memcpy(self->gcm_iv, keys->iv.data, GCM_IV);
  self->shared = &self->contexts->gcm[self->direction][self->key_length == AES_256_KEY];
  return begin(self, self->key, self->gcm_iv);
}

static bool start_ctr(struct protection *self, const EVP_CIPHER *cipher, const struct keys *keys) {
  size_t mac_length = keys->mac.length;
  if (keys->iv.length != BLOCK || (mac_length != 32 && mac_length != 64)) return false;
  self->tag_length = mac_length;
  self->content = new_cipher(cipher, keys->key.data, keys->iv.data, self->direction);
  self->hmac = openssl.HMAC_CTX_new();
  const EVP_MD *hash = mac_length == 32 ? openssl.EVP_sha256() : openssl.EVP_sha512();
  return self->content != NULL && self->hmac != NULL &&
         openssl.HMAC_Init_ex(self->hmac, keys->mac.data, (int)mac_length, hash, NULL) == 1;
}

struct contexts *contexts_create(void) {
  struct contexts *contexts = calloc(1, sizeof *contexts);
  if (contexts != NULL) contexts->holders = 1;
  return contexts;
}

void contexts_release(struct contexts *contexts) {
  if (--contexts->holders > 0) return;
  openssl.EVP_CIPHER_CTX_free(contexts->chacha20.context);
  openssl.EVP_MAC_CTX_free(contexts->poly1305);
  for (size_t index = 0; index < 4; index++) openssl.EVP_CIPHER_CTX_free(contexts->gcm[index / 2][index % 2].context);
  free(contexts);
}

struct protection *protection_create(struct contexts *contexts, enum cipher cipher, enum direction direction,
                                     const struct keys *keys) {
  const EVP_CIPHER *evp = evp_cipher(cipher, keys->key.length);
  struct protection *self = evp == NULL ? NULL : calloc(1, sizeof *self);
  if (self == NULL) return NULL;
  self->cipher = cipher;
  self->direction = direction;
  self->contexts = contexts;
  contexts->holders++;
  memcpy(self->key, keys->key.data, keys->key.length);
  self->key_length = keys->key.length;
  openssl.ERR_set_mark();
  bool started = cipher == CHACHA20_POLY1305 ? start_chacha20_poly1305(self, keys)
                 : cipher == AES_GCM         ? start_gcm(self, keys)
                                             : start_ctr(self, evp, keys);
  openssl.ERR_pop_to_mark();
  if (started) return self;
  protection_destroy(self);
  return NULL;
}

/* The keys are not left in a context; the next packet of another connection gets a new one. */
static void leave_shared(struct protection *self) {
  if (self->shared == NULL || self->shared->user != self) return;
  openssl.EVP_CIPHER_CTX_free(self->shared->context);
  *self->shared = (struct shared_cipher){NULL, NULL};
}

void protection_destroy(struct protection *self) {
  if (self == NULL) return;
  leave_shared(self);
  contexts_release(self->contexts);
  openssl.EVP_CIPHER_CTX_free(self->content);
  openssl.HMAC_CTX_free(self->hmac);
  openssl.OPENSSL_cleanse(self, sizeof *self);
  free(self);
}

size_t protection_tag_length(const struct protection *self) { return self->tag_length; }

size_t protection_header_length(const struct protection *self) {
  return self->cipher == AES_CTR_ENCRYPT_AND_MAC ? BLOCK : LENGTH_FIELD;
}

/* Of AES in counter mode the key stream has moved on, so that nothing can follow a failure. */
static enum result ended(struct protection *self, enum result result) {
  openssl.ERR_pop_to_mark();
  if (result != DONE) self->failed = true;
  return result;
}

enum result protection_seal(struct protection *self, struct bytes packet, uint32_t sequence_number) {
  if (self->failed || packet.length < LENGTH_FIELD + self->tag_length || packet.length > LONGEST_PACKET) {
    return OUT_OF_TURN;
  }
  size_t end = packet.length - self->tag_length;
  openssl.ERR_set_mark();
  bool sealed = self->cipher == CHACHA20_POLY1305 ? chacha20_poly1305_seal(self, packet.data, end, sequence_number)
                : self->cipher == AES_GCM         ? gcm_seal(self, packet.data, end)
                                                  : ctr_seal(self, packet.data, end, sequence_number);
  if (!sealed) openssl.OPENSSL_cleanse(packet.data, packet.length);
  return ended(self, sealed ? DONE : FAILED);
}

enum result protection_read_length(struct protection *self, const uint8_t *header, uint32_t sequence_number,
                                   uint32_t *packet_length) {
  uint8_t field[LENGTH_FIELD];
  bool done = true;
  if (self->failed || self->first_block_read) return OUT_OF_TURN;
  openssl.ERR_set_mark();
  if (self->cipher == CHACHA20_POLY1305) {
    done = chacha20_length(self, field, header, sequence_number);
  } else if (self->cipher == AES_CTR_ENCRYPT_AND_MAC) {
    done = crypt(self->content, self->first_block, header, BLOCK);
    self->first_block_read = true;
    memcpy(field, self->first_block, LENGTH_FIELD);
  } else {
    memcpy(field, header, LENGTH_FIELD);
  }
  if (done) *packet_length = read_uint32(field);
  return ended(self, done ? DONE : FAILED);
}

enum result protection_open(struct protection *self, struct bytes packet, uint32_t sequence_number) {
  size_t header = protection_header_length(self);
  bool reads_first = self->cipher == AES_CTR_ENCRYPT_AND_MAC;
  enum result result = WRONG_TAG;
  if (self->failed || self->first_block_read != reads_first || packet.length > LONGEST_PACKET) return OUT_OF_TURN;
  self->first_block_read = false;
  openssl.ERR_set_mark();
  if (packet.length >= header + self->tag_length) {
    size_t end = packet.length - self->tag_length;
    result = self->cipher == CHACHA20_POLY1305 ? chacha20_poly1305_open(self, packet.data, end, sequence_number)
             : self->cipher == AES_GCM         ? gcm_open(self, packet.data, end)
             : reads_first                     ? encrypt_and_mac_open(self, packet.data, end, sequence_number)
                                               : encrypt_then_mac_open(self, packet.data, end, sequence_number);
  }
  if (result != DONE) openssl.OPENSSL_cleanse(packet.data, packet.length);
  openssl.OPENSSL_cleanse(self->first_block, sizeof self->first_block);
  return ended(self, result);
}

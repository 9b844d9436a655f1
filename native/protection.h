#ifndef SPINDLEX_PROTECTION_H
#define SPINDLEX_PROTECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Protection of SSH packets in one direction, under one set of keys. A packet is `uint32 packet_length`, then its content
 * (`byte padding_length, payload, padding`), then the tag (RFC 4253 section 6).
 */
struct protection;

enum cipher {
  CHACHA20_POLY1305,
  AES_GCM,
  /* AES in counter mode with an HMAC of the encrypted packet, or of the clear one. */
  AES_CTR_ENCRYPT_THEN_MAC,
  AES_CTR_ENCRYPT_AND_MAC,
};

enum direction { OPENS = 0, SEALS = 1 };

struct bytes {
  uint8_t *data;
  size_t length;
};

/* Of the lengths of the keys follow AES-128, 192 and 256, and SHA-256 and 512. */
struct keys {
  struct bytes key;
  struct bytes iv;
  struct bytes mac;
};

enum result {
  DONE,
  /* The tag is not that of the packet. No clear text is left, and all later packets are refused. */
  WRONG_TAG,
  /* Called out of turn, or after a failure. */
  OUT_OF_TURN,
  /* OpenSSL has failed. No clear text is left, and all later packets are refused. */
  FAILED,
};

/* Bytes of the length field. */
#define LENGTH_FIELD 4
/* Bytes of the longest packet that is taken. */
#define LONGEST_PACKET ((size_t)1 << 30)

/* What the protections of one thread share: no other thread may use them, or it. */
struct contexts;

/* NULL without memory. */
struct contexts *contexts_create(void);
/* To be called once. They remain as long as a protection is left. */
void contexts_release(struct contexts *contexts);

/* NULL where the keys do not have the lengths that the cipher takes, or OpenSSL refuses. The keys are copied. */
struct protection *protection_create(struct contexts *contexts, enum cipher cipher, enum direction direction,
                                     const struct keys *keys);
/* Overwrites the keys; NULL is let pass. */
void protection_destroy(struct protection *protection);

/* Bytes of the tag. */
size_t protection_tag_length(const struct protection *protection);
/* Bytes from the start of a packet that protection_read_length needs. */
size_t protection_header_length(const struct protection *protection);

/* Seals a packet in place; its last bytes receive the tag. */
enum result protection_seal(struct protection *protection, struct bytes packet, uint32_t sequence_number);

/* The length field of the packet that is opened next: called once for each packet, before protection_open. */
enum result protection_read_length(struct protection *protection, const uint8_t *header, uint32_t sequence_number,
                                   uint32_t *packet_length);

/* Opens a packet in place: its content is left behind the length field. */
enum result protection_open(struct protection *protection, struct bytes packet, uint32_t sequence_number);

#endif

// A FIDO key in software: a provider for OpenSSH's ssh-keygen and ssh (SecurityKeyProvider; the interface is that of
// OpenSSH's PROTOCOL.u2f). The private key is the key handle, so nothing is kept between calls. Nobody is asked to touch
// anything: presence and verification are what the caller asks for.
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define API_VERSION 0x000a0000
#define ALGORITHM_ECDSA 0
#define ALGORITHM_ED25519 1
#define FAILED (-1)
#define SECRET_LENGTH 32
#define POINT_LENGTH 65

struct sk_enroll_response {
  uint8_t flags;
  uint8_t *public_key;
  size_t public_key_len;
  uint8_t *key_handle;
  size_t key_handle_len;
  uint8_t *signature;
  size_t signature_len;
  uint8_t *attestation_cert;
  size_t attestation_cert_len;
  uint8_t *authdata;
  size_t authdata_len;
};

struct sk_sign_response {
  uint8_t flags;
  uint32_t counter;
  uint8_t *sig_r;
  size_t sig_r_len;
  uint8_t *sig_s;
  size_t sig_s_len;
};

struct sk_option;
struct sk_resident_key;

uint32_t sk_api_version(void) { return API_VERSION; }

static uint8_t *copy(const uint8_t *bytes, size_t length) {
  uint8_t *result = malloc(length);
  if (result != NULL) memcpy(result, bytes, length);
  return result;
}

static EC_KEY *ecdsa_key(const uint8_t *secret) {
  EC_KEY *key = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
  BIGNUM *scalar = BN_bin2bn(secret, SECRET_LENGTH, NULL);
  EC_POINT *point = EC_POINT_new(EC_KEY_get0_group(key));
  EC_POINT_mul(EC_KEY_get0_group(key), point, scalar, NULL, NULL, NULL);
  if (!EC_KEY_set_private_key(key, scalar) || !EC_KEY_set_public_key(key, point)) {
    EC_KEY_free(key);
    key = NULL;
  }
  EC_POINT_free(point);
  BN_free(scalar);
  return key;
}

static int enroll_ecdsa(struct sk_enroll_response *response) {
  uint8_t secret[SECRET_LENGTH], point[POINT_LENGTH];
  EC_KEY *fresh = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
  if (fresh == NULL || !EC_KEY_generate_key(fresh)) return FAILED;
  BN_bn2binpad(EC_KEY_get0_private_key(fresh), secret, sizeof secret);
  EC_POINT_point2oct(EC_KEY_get0_group(fresh), EC_KEY_get0_public_key(fresh), POINT_CONVERSION_UNCOMPRESSED, point,
                     sizeof point, NULL);
  EC_KEY_free(fresh);
  response->public_key = copy(point, response->public_key_len = sizeof point);
  response->key_handle = copy(secret, response->key_handle_len = sizeof secret);
  return 0;
}

static int enroll_ed25519(struct sk_enroll_response *response) {
  uint8_t secret[SECRET_LENGTH], public[32];
  size_t secret_length = sizeof secret, public_length = sizeof public;
  EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
  if (key == NULL || !EVP_PKEY_get_raw_private_key(key, secret, &secret_length) ||
      !EVP_PKEY_get_raw_public_key(key, public, &public_length))
    return FAILED;
  EVP_PKEY_free(key);
  response->public_key = copy(public, response->public_key_len = sizeof public);
  response->key_handle = copy(secret, response->key_handle_len = sizeof secret);
  return 0;
}

int sk_enroll(uint32_t algorithm, const uint8_t *challenge, size_t challenge_length, const char *application,
              uint8_t flags, const char *pin, struct sk_option **options, struct sk_enroll_response **result) {
  (void)challenge, (void)challenge_length, (void)application, (void)pin, (void)options;
  struct sk_enroll_response *response = calloc(1, sizeof *response);
  if (response == NULL) return FAILED;
  response->flags = flags;
  // ssh-keygen does not look into it, but wants one.
  response->signature = copy((const uint8_t *)"none", response->signature_len = 4);
  response->attestation_cert = copy((const uint8_t *)"none", response->attestation_cert_len = 4);
  response->authdata = copy((const uint8_t *)"none", response->authdata_len = 4);
  *result = response;
  if (algorithm == ALGORITHM_ECDSA) return enroll_ecdsa(response);
  return algorithm == ALGORITHM_ED25519 ? enroll_ed25519(response) : FAILED;
}

static int sign_ecdsa(const uint8_t *secret, const uint8_t *signed_data, size_t length,
                      struct sk_sign_response *response) {
  uint8_t hash[SHA256_DIGEST_LENGTH];
  SHA256(signed_data, length, hash);
  EC_KEY *key = ecdsa_key(secret);
  ECDSA_SIG *signature = key == NULL ? NULL : ECDSA_do_sign(hash, sizeof hash, key);
  if (signature == NULL) return FAILED;
  response->sig_r = calloc(1, response->sig_r_len = 32);
  response->sig_s = calloc(1, response->sig_s_len = 32);
  BN_bn2binpad(ECDSA_SIG_get0_r(signature), response->sig_r, 32);
  BN_bn2binpad(ECDSA_SIG_get0_s(signature), response->sig_s, 32);
  ECDSA_SIG_free(signature);
  EC_KEY_free(key);
  return 0;
}

static int sign_ed25519(const uint8_t *secret, const uint8_t *signed_data, size_t length,
                        struct sk_sign_response *response) {
  EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, SECRET_LENGTH);
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  response->sig_r = calloc(1, response->sig_r_len = 64);
  int done = key != NULL && EVP_DigestSignInit(context, NULL, NULL, NULL, key) &&
             EVP_DigestSign(context, response->sig_r, &response->sig_r_len, signed_data, length);
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(key);
  return done ? 0 : FAILED;
}

int sk_sign(uint32_t algorithm, const uint8_t *data, size_t data_length, const char *application,
            const uint8_t *key_handle, size_t key_handle_length, uint8_t flags, const char *pin,
            struct sk_option **options, struct sk_sign_response **result) {
  (void)pin, (void)options;
  if (key_handle_length != SECRET_LENGTH) return FAILED;
  struct sk_sign_response *response = calloc(1, sizeof *response);
  if (response == NULL) return FAILED;
  response->flags = flags & 0x05;
  response->counter = (uint32_t)time(NULL);
  uint8_t signed_data[32 + 1 + 4 + 32];
  SHA256((const uint8_t *)application, strlen(application), signed_data);
  signed_data[32] = response->flags;
  for (int index = 0; index < 4; index++) signed_data[33 + index] = (uint8_t)(response->counter >> (24 - 8 * index));
  SHA256(data, data_length, signed_data + 37);
  *result = response;
  if (algorithm == ALGORITHM_ECDSA) return sign_ecdsa(key_handle, signed_data, sizeof signed_data, response);
  return algorithm == ALGORITHM_ED25519 ? sign_ed25519(key_handle, signed_data, sizeof signed_data, response) : FAILED;
}

int sk_load_resident_keys(const char *pin, struct sk_option **options, struct sk_resident_key ***keys, size_t *count) {
  (void)pin, (void)options;
  *keys = NULL;
  *count = 0;
  return 0;
}

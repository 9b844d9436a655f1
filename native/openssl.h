#ifndef SPINDLEX_OPENSSL_H
#define SPINDLEX_OPENSSL_H

#include <stddef.h>

/*
 * What is used of the OpenSSL that the running program exports. The prototypes are those of OpenSSL 3; nothing of it is
 * linked, so that a program with another library, or with none, can load the addon and be told so.
 */
typedef struct evp_cipher_st EVP_CIPHER;
typedef struct evp_cipher_ctx_st EVP_CIPHER_CTX;
typedef struct evp_mac_st EVP_MAC;
typedef struct evp_mac_ctx_st EVP_MAC_CTX;
typedef struct evp_md_st EVP_MD;
typedef struct hmac_ctx_st HMAC_CTX;
typedef struct ossl_lib_ctx_st OSSL_LIB_CTX;
typedef struct ossl_param_st OSSL_PARAM;
typedef struct engine_st ENGINE;

#define EVP_CTRL_AEAD_GET_TAG 0x10
#define EVP_CTRL_AEAD_SET_TAG 0x11

#define OPENSSL_FUNCTIONS(F)                                                                                           \
  F(unsigned int, OPENSSL_version_major, (void))                                                                       \
  F(const char *, OpenSSL_version, (int))                                                                              \
  F(void, OPENSSL_cleanse, (void *, size_t))                                                                           \
  F(int, CRYPTO_memcmp, (const void *, const void *, size_t))                                                          \
  F(int, ERR_set_mark, (void))                                                                                         \
  F(int, ERR_pop_to_mark, (void))                                                                                      \
  F(const EVP_CIPHER *, EVP_aes_128_gcm, (void))                                                                       \
  F(const EVP_CIPHER *, EVP_aes_256_gcm, (void))                                                                       \
  F(const EVP_CIPHER *, EVP_aes_128_ctr, (void))                                                                       \
  F(const EVP_CIPHER *, EVP_aes_192_ctr, (void))                                                                       \
  F(const EVP_CIPHER *, EVP_aes_256_ctr, (void))                                                                       \
  F(const EVP_CIPHER *, EVP_chacha20, (void))                                                                          \
  F(EVP_CIPHER_CTX *, EVP_CIPHER_CTX_new, (void))                                                                      \
  F(void, EVP_CIPHER_CTX_free, (EVP_CIPHER_CTX *))                                                                     \
  F(int, EVP_CIPHER_CTX_ctrl, (EVP_CIPHER_CTX *, int, int, void *))                                                    \
  F(int, EVP_CipherInit_ex,                                                                                            \
    (EVP_CIPHER_CTX *, const EVP_CIPHER *, ENGINE *, const unsigned char *, const unsigned char *, int))               \
  F(int, EVP_CipherUpdate, (EVP_CIPHER_CTX *, unsigned char *, int *, const unsigned char *, int))                     \
  F(int, EVP_CipherFinal_ex, (EVP_CIPHER_CTX *, unsigned char *, int *))                                               \
  F(EVP_MAC *, EVP_MAC_fetch, (OSSL_LIB_CTX *, const char *, const char *))                                            \
  F(void, EVP_MAC_free, (EVP_MAC *))                                                                                   \
  F(EVP_MAC_CTX *, EVP_MAC_CTX_new, (EVP_MAC *))                                                                       \
  F(void, EVP_MAC_CTX_free, (EVP_MAC_CTX *))                                                                           \
  F(int, EVP_MAC_init, (EVP_MAC_CTX *, const unsigned char *, size_t, const OSSL_PARAM *))                             \
  F(int, EVP_MAC_update, (EVP_MAC_CTX *, const unsigned char *, size_t))                                               \
  F(int, EVP_MAC_final, (EVP_MAC_CTX *, unsigned char *, size_t *, size_t))                                            \
  F(const EVP_MD *, EVP_sha256, (void))                                                                                \
  F(const EVP_MD *, EVP_sha512, (void))                                                                                \
  F(HMAC_CTX *, HMAC_CTX_new, (void))                                                                                  \
  F(void, HMAC_CTX_free, (HMAC_CTX *))                                                                                 \
  F(int, HMAC_Init_ex, (HMAC_CTX *, const void *, int, const EVP_MD *, ENGINE *))                                      \
  F(int, HMAC_Update, (HMAC_CTX *, const unsigned char *, size_t))                                                     \
  F(int, HMAC_Final, (HMAC_CTX *, unsigned char *, unsigned int *))

struct openssl {
#define MEMBER(result, name, parameters) result(*name) parameters;
  OPENSSL_FUNCTIONS(MEMBER)
#undef MEMBER
};

/* Filled in once, when the library is loaded. */
extern struct openssl openssl;

/* The name of a function that the program does not export, "OPENSSL_version_major" where its version is another, or NULL. */
extern const char *openssl_missing;

#endif

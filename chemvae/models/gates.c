/* Fused GRU gates, one time step, forward and backward (Cho et al. 2014; gate order and bias placement of torch.nn.GRU).
 *
 * A row is one sequence in one direction. Per row, with gate inputs g = table[token] + context (the input projection,
 * b_ih and the r and u parts of b_hh included) and a = W_hh h:
 *     r = sigmoid(g_r + a_r)    u = sigmoid(g_u + a_u)    q = a_n + b_hn    n = tanh(g_n + r q)    h' = u h + (1 - u) n
 * Matrix products stay in torch; this file holds what is between two of them, so that memory is touched once.
 *
 * STORAGE is the type of products and saved values: bf16 (raw 16 bits) or float. Arithmetic is float throughout.
 * The loops over features are written for the compiler's vectorizer: no calls, no branches.
 */
#include <stdint.h>
#include <string.h>

typedef uint16_t bf16;

static inline float load_bf16(bf16 x) {
    uint32_t bits = (uint32_t)x << 16;
    float y;
    memcpy(&y, &bits, 4);
    return y;
}
static inline bf16 store_bf16(float x) { /* round to nearest, ties to even */
    uint32_t bits;
    memcpy(&bits, &x, 4);
    return (bf16)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}
static inline float load_f32(float x) { return x; }
static inline float store_f32(float x) { return x; }

/* exp(x) for x in [-87, 87]: 2^k times a degree-6 Taylor polynomial on |r| <= ln(2)/2; relative error below 2e-7. */
static inline float exp_float(float x) {
    x = x < -87.0f ? -87.0f : x;
    x = x > 87.0f ? 87.0f : x;
    float shifted = x * 1.44269504f + 12582912.0f; /* adding 1.5 * 2^23 rounds to the nearest integer */
    int32_t k_bits;
    memcpy(&k_bits, &shifted, 4);
    float k = shifted - 12582912.0f;
    float r = x - k * 0.693359375f;
    r = r + k * 2.12194440e-4f;
    float p = 1.3888889e-3f;
    p = p * r + 8.3333333e-3f;
    p = p * r + 4.1666667e-2f;
    p = p * r + 1.6666667e-1f;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    int32_t scale_bits = (int32_t)((uint32_t)(k_bits - 0x4b400000 + 127) << 23);
    float scale;
    memcpy(&scale, &scale_bits, 4);
    return p * scale;
}
static inline float sigmoid_float(float x) { return 1.0f / (1.0f + exp_float(-x)); }
static inline float tanh_float(float x) { return 1.0f - 2.0f / (1.0f + exp_float(2.0f * x)); }

#define DEFINE_KERNELS(NAME, STORAGE, LOAD, STORE)                                                                      \
    /* h [rows, H] float is updated in place; state [rows, H] receives it in STORAGE; saved [rows, 4 H] may be null. */ \
    void forward_##NAME(int64_t rows, int64_t rows_per_direction, int64_t H, const float *restrict table,               \
                        const int64_t *restrict tokens, const float *restrict context, const STORAGE *restrict product, \
                        const float *restrict bias_hn, float *restrict h, STORAGE *restrict state,                      \
                        STORAGE *restrict saved) {                                                                      \
        _Pragma("omp parallel for schedule(static)")                                                                    \
        for (int64_t row = 0; row < rows; row++) {                                                                      \
            const float *g = table + tokens[row] * 3 * H;                                                               \
            const float *c = context ? context + row * 3 * H : 0;                                                       \
            const STORAGE *a = product + row * 3 * H;                                                                   \
            const float *b = bias_hn + (row / rows_per_direction) * H;                                                  \
            float *hr = h + row * H;                                                                                    \
            STORAGE *sr = state + row * H;                                                                              \
            STORAGE *keep = saved ? saved + row * 4 * H : 0;                                                            \
            if (c && keep) FORWARD_LOOP(STORAGE, LOAD, STORE, g[j] + c[j], g[H + j] + c[H + j],                         \
                                        g[2 * H + j] + c[2 * H + j], SAVE_GATES(STORE))                                 \
            else if (keep) FORWARD_LOOP(STORAGE, LOAD, STORE, g[j], g[H + j], g[2 * H + j], SAVE_GATES(STORE))          \
            else if (c) FORWARD_LOOP(STORAGE, LOAD, STORE, g[j] + c[j], g[H + j] + c[H + j],                            \
                                     g[2 * H + j] + c[2 * H + j], )                                                     \
            else FORWARD_LOOP(STORAGE, LOAD, STORE, g[j], g[H + j], g[2 * H + j], )                                     \
        }                                                                                                               \
    }                                                                                                                   \
    /* On entry dh [rows, H] holds what flowed back through u from the next step; d_product [rows, H] (may be null) what  \
     * came back through its matrix product; d_out [rows, H] (may be null) the gradient of this step's own output.      \
     * Writes d_recurrent [rows, 3 H] = gradient of W_hh h, d_n [rows, H] = gradient of g_n; adds to d_context. */      \
    void backward_##NAME(int64_t rows, int64_t H, const STORAGE *restrict saved, const STORAGE *restrict state_before,  \
                         const STORAGE *restrict d_product, const STORAGE *restrict d_out, float *restrict dh,          \
                         STORAGE *restrict d_recurrent, STORAGE *restrict d_n, float *restrict d_context) {             \
        _Pragma("omp parallel for schedule(static)")                                                                    \
        for (int64_t row = 0; row < rows; row++) {                                                                      \
            const STORAGE *s = saved + row * 4 * H;                                                                     \
            const STORAGE *hp = state_before + row * H;                                                                 \
            const STORAGE *dp = d_product ? d_product + row * H : 0;                                                    \
            const STORAGE *dy = d_out ? d_out + row * H : 0;                                                            \
            float *d = dh + row * H;                                                                                    \
            STORAGE *da = d_recurrent + row * 3 * H;                                                                    \
            STORAGE *dg = d_n + row * H;                                                                                \
            float *dc = d_context ? d_context + row * 3 * H : 0;                                                        \
            if (dp) for (int64_t j = 0; j < H; j++) d[j] += LOAD(dp[j]);                                                \
            if (dy) for (int64_t j = 0; j < H; j++) d[j] += LOAD(dy[j]);                                                \
            if (dc) BACKWARD_LOOP(LOAD, STORE, ADD_CONTEXT)                                                             \
            else BACKWARD_LOOP(LOAD, STORE, )                                                                           \
        }                                                                                                               \
    }

#define SAVE_GATES(STORE)                                                                                               \
    keep[j] = STORE(r);                                                                                                 \
    keep[H + j] = STORE(u);                                                                                             \
    keep[2 * H + j] = STORE(n);                                                                                         \
    keep[3 * H + j] = STORE(q);

#define FORWARD_LOOP(STORAGE, LOAD, STORE, GR, GU, GN, SAVE)                                                            \
    _Pragma("GCC ivdep") for (int64_t j = 0; j < H; j++) {                                                              \
        float r = sigmoid_float((GR) + LOAD(a[j]));                                                                     \
        float u = sigmoid_float((GU) + LOAD(a[H + j]));                                                                 \
        float q = LOAD(a[2 * H + j]) + b[j];                                                                            \
        float n = tanh_float((GN) + r * q);                                                                             \
        float y = u * hr[j] + (1.0f - u) * n; /* exactly h where u is 1 */                                                 \
        hr[j] = y;                                                                                                      \
        sr[j] = STORE(y);                                                                                               \
        SAVE                                                                                                            \
    }

#define ADD_CONTEXT                                                                                                     \
    dc[j] += d_r;                                                                                                       \
    dc[H + j] += d_u;                                                                                                   \
    dc[2 * H + j] += d_g;

#define BACKWARD_LOOP(LOAD, STORE, ADD)                                                                                 \
    _Pragma("GCC ivdep") for (int64_t j = 0; j < H; j++) {                                                              \
        float r = LOAD(s[j]), u = LOAD(s[H + j]), n = LOAD(s[2 * H + j]), q = LOAD(s[3 * H + j]);                       \
        float dy_j = d[j];                                                                                              \
        float d_u = dy_j * (LOAD(hp[j]) - n) * u * (1.0f - u);                                                          \
        float d_g = dy_j * (1.0f - u) * (1.0f - n * n);                                                                 \
        float d_r = d_g * q * r * (1.0f - r);                                                                           \
        d[j] = dy_j * u;                                                                                                \
        da[j] = STORE(d_r);                                                                                             \
        da[H + j] = STORE(d_u);                                                                                         \
        da[2 * H + j] = STORE(d_g * r);                                                                                 \
        dg[j] = STORE(d_g);                                                                                             \
        ADD                                                                                                             \
    }

DEFINE_KERNELS(bf16, bf16, load_bf16, store_bf16)
DEFINE_KERNELS(f32, float, load_f32, store_f32)

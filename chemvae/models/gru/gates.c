/* The GRU recurrence, forward, backward and decoding (Cho et al. 2014; gate order and bias placement of torch.nn.GRU).
 *
 * A row is one sequence in one direction. Per row, with gate inputs g = table[token] + context (the input projection,
 * b_ih and the r and u parts of b_hh included) and a = W_hh h:
 *     r = sigmoid(g_r + a_r)    u = sigmoid(g_u + a_u)    q = a_n + b_hn    n = tanh(g_n + r q)    h' = u h + (1 - u) n
 * Two ways lead through a sequence. run_forward_*, run_backward_* and run_decode_* take rows in blocks of 16 to 64 through all
 * steps: a block's state stays in the cache, threads never wait for each other, and no Python runs in between. They multiply
 * with torch's own small-matrix kernel (oneDNN's brgemm; AMX or AVX512-BF16 for bf16), handed in as a function. step_* do what
 * lies between two products that torch makes, for a torch without that kernel.
 *
 * STORAGE is the type of states and saved values: bf16 (raw 16 bits) or float. Arithmetic is float throughout.
 * The loops over features are written for the compiler's vectorizer: no calls, no branches.
 */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
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

/* ---- one row of one step ---- */

#define SAVE_GATES(STORE)                                                                                               \
    keep[j] = STORE(r);                                                                                                 \
    keep[H + j] = STORE(u);                                                                                             \
    keep[2 * H + j] = STORE(n);                                                                                         \
    keep[3 * H + j] = STORE(q);

#define FORWARD_LOOP(LOADP, STORE, GR, GU, GN, SAVE)                                                                    \
    _Pragma("GCC ivdep") for (int64_t j = 0; j < H; j++) {                                                              \
        float r = sigmoid_float((GR) + LOADP(a[j]));                                                                    \
        float u = sigmoid_float((GU) + LOADP(a[H + j]));                                                                \
        float q = LOADP(a[2 * H + j]) + b[j];                                                                           \
        float n = tanh_float((GN) + r * q);                                                                             \
        float y = u * h[j] + (1.0f - u) * n; /* exactly h where u is 1 */                                               \
        h[j] = y;                                                                                                       \
        state[j] = STORE(y);                                                                                            \
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
        float d_u = dy_j * (LOAD(before[j]) - n) * u * (1.0f - u);                                                      \
        float d_g = dy_j * (1.0f - u) * (1.0f - n * n);                                                                 \
        float d_r = d_g * q * r * (1.0f - r);                                                                           \
        d[j] = dy_j * u;                                                                                                \
        da[j] = STORE(d_r);                                                                                             \
        da[H + j] = STORE(d_u);                                                                                         \
        da[2 * H + j] = STORE(d_g * r);                                                                                 \
        dg[j] = STORE(d_g);                                                                                             \
        ADD                                                                                                             \
    }

#define DEFINE_ROWS(NAME, STORAGE, LOAD, STORE, PRODUCT, LOADP)                                                         \
    /* h [H] float is updated in place; state [H] receives it in STORAGE; context [3 H] and keep [4 H] may be null. */  \
    static void forward_row_##NAME(int64_t H, const float *restrict g, const float *restrict c,                         \
                                   const PRODUCT *restrict a, const float *restrict b, float *restrict h,               \
                                   STORAGE *restrict state, STORAGE *restrict keep) {                                   \
        if (c && keep) FORWARD_LOOP(LOADP, STORE, g[j] + c[j], g[H + j] + c[H + j], g[2 * H + j] + c[2 * H + j],        \
                                    SAVE_GATES(STORE))                                                                  \
        else if (keep) FORWARD_LOOP(LOADP, STORE, g[j], g[H + j], g[2 * H + j], SAVE_GATES(STORE))                      \
        else if (c) FORWARD_LOOP(LOADP, STORE, g[j] + c[j], g[H + j] + c[H + j], g[2 * H + j] + c[2 * H + j], )         \
        else FORWARD_LOOP(LOADP, STORE, g[j], g[H + j], g[2 * H + j], )                                                 \
    }                                                                                                                   \
    /* On entry d [H] holds what flowed back through u from the next step; dp [H] (may be null) what came back through  \
     * its matrix product; dy [H] (may be null) the gradient of this step's own output. Writes da [3 H] = gradient of   \
     * W_hh h and dg [H] = gradient of g_n; adds to dc [3 H] (may be null). */                                          \
    static void backward_row_##NAME(int64_t H, const STORAGE *restrict s, const STORAGE *restrict before,               \
                                    const PRODUCT *restrict dp, const STORAGE *restrict dy, float *restrict d,          \
                                    STORAGE *restrict da, STORAGE *restrict dg, float *restrict dc) {                   \
        if (dp) for (int64_t j = 0; j < H; j++) d[j] += LOADP(dp[j]);                                                   \
        if (dy) for (int64_t j = 0; j < H; j++) d[j] += LOAD(dy[j]);                                                    \
        if (dc) BACKWARD_LOOP(LOAD, STORE, ADD_CONTEXT)                                                                 \
        else BACKWARD_LOOP(LOAD, STORE, )                                                                               \
    }

/* ---- all rows of one step, between two products of torch ---- */

#define DEFINE_STEPS(NAME, STORAGE)                                                                                     \
    void step_forward_##NAME(int64_t rows, int64_t H, const float *table, const int64_t *tokens, const float *context,  \
                             const STORAGE *product, const float *bias_hn, float *h, STORAGE *state, STORAGE *saved) {  \
        _Pragma("omp parallel for schedule(static)")                                                                    \
        for (int64_t row = 0; row < rows; row++)                                                                        \
            forward_row_##NAME(H, table + tokens[row] * 3 * H, context ? context + row * 3 * H : 0,                     \
                               product + row * 3 * H, bias_hn, h + row * H, state + row * H,                            \
                               saved ? saved + row * 4 * H : 0);                                                        \
    }                                                                                                                   \
    void step_backward_##NAME(int64_t rows, int64_t H, const STORAGE *saved, const STORAGE *before,                     \
                              const STORAGE *d_product, const STORAGE *d_out, float *dh, STORAGE *d_recurrent,          \
                              STORAGE *d_n, float *d_context) {                                                         \
        _Pragma("omp parallel for schedule(static)")                                                                    \
        for (int64_t row = 0; row < rows; row++)                                                                        \
            backward_row_##NAME(H, saved + row * 4 * H, before + row * H, d_product ? d_product + row * H : 0,          \
                                d_out ? d_out + row * H : 0, dh + row * H, d_recurrent + row * 3 * H, d_n + row * H,    \
                                d_context ? d_context + row * 3 * H : 0);                                               \
    }

/* ---- all steps of a block of rows ---- */

/* C [M, N] = A [M, K] B, with row strides lda, ldb, ldc; B as brgemm wants it (pairs of rows interleaved for bf16). */
typedef void (*product_bf16)(int64_t M, int64_t N, int64_t K, int64_t lda, int64_t ldb, int64_t ldc, bool add,
                             const bf16 *A, const bf16 *B, float *C, bool packed);
typedef void (*product_f32)(int64_t M, int64_t N, int64_t K, int64_t lda, int64_t ldb, int64_t ldc, bool add,
                            const float *A, const float *B, float *C, bool packed);
typedef void (*release_function)(bool packed);

static void *scratch(int64_t floats) { return aligned_alloc(64, ((size_t)floats * 4 + 63) / 64 * 64); }
static inline int64_t at_most(int64_t a, int64_t b) { return a < b ? a : b; }

#define DEFINE_RUNS(NAME, ROWS, STORAGE, PACKED)                                                                        \
    /* C [rows, N] = A [rows, K] times weight, which lies in panels of `panel` columns: [N / panel][K][panel]. */       \
    static void multiply_##NAME(product_##NAME multiply, int64_t rows, int64_t N, int64_t K, int64_t panel,             \
                                const STORAGE *A, const STORAGE *weight, float *C) {                                    \
        for (int64_t n = 0; n < N; n += panel) multiply(rows, panel, K, K, panel, N, false, A, weight + n * K, C + n, PACKED); \
    }                                                                                                                   \
    /* tokens [T, B], context [B, 3H] or null, h [B, H] in and out, states [T + 1, B, H] with states[0] = h given,      \
     * saved [T, B, 4H] or null. Returns 1 if memory ran out. */                                                        \
    int run_forward_##NAME(int64_t T, int64_t B, int64_t H, int64_t block, int64_t panel, const float *table,           \
                           const int64_t *tokens, const float *context, const STORAGE *weight, const float *bias_hn,    \
                           float *h, STORAGE *states, STORAGE *saved, product_##NAME multiply, release_function release) { \
        int failed = 0;                                                                                                 \
        _Pragma("omp parallel reduction(|| : failed)") {                                                                \
            float *product = scratch(block * 3 * H);                                                                    \
            if (!product) failed = 1;                                                                                   \
            _Pragma("omp for schedule(dynamic, 1)")                                                                     \
            for (int64_t first = 0; first < B; first += block) {                                                        \
                int64_t rows = at_most(block, B - first);                                                               \
                for (int64_t t = 0; product && t < T; t++) {                                                            \
                    int64_t at = t * B + first, next = at + B;                                                          \
                    multiply_##NAME(multiply, rows, 3 * H, H, panel, states + at * H, weight, product);                 \
                    for (int64_t i = 0; i < rows; i++)                                                                  \
                        forward_row_##ROWS(H, table + tokens[at + i] * 3 * H,                                           \
                                           context ? context + (first + i) * 3 * H : 0, product + i * 3 * H, bias_hn,   \
                                           h + (first + i) * H, states + (next + i) * H,                                \
                                           saved ? saved + (at + i) * 4 * H : 0);                                       \
                }                                                                                                       \
            }                                                                                                           \
            free(product);                                                                                              \
            release(PACKED);                                                                                            \
        }                                                                                                               \
        return failed;                                                                                                  \
    }                                                                                                                   \
    /* The way back: d_out [T, B, H] or null, dh [B, H] in (of the last state) and out (of the first), d_recurrent      \
     * [T, B, 3H] and d_n [T, B, H] out, d_context [B, 3H] or null is added to. */                                      \
    int run_backward_##NAME(int64_t T, int64_t B, int64_t H, int64_t block, int64_t panel, const STORAGE *saved,        \
                            const STORAGE *states, const STORAGE *d_out, const STORAGE *weight, float *dh,              \
                            STORAGE *d_recurrent, STORAGE *d_n, float *d_context, product_##NAME multiply,              \
                            release_function release) {                                                                 \
        int failed = 0;                                                                                                 \
        _Pragma("omp parallel reduction(|| : failed)") {                                                                \
            float *product = scratch(block * H);                                                                        \
            if (!product) failed = 1;                                                                                   \
            _Pragma("omp for schedule(dynamic, 1)")                                                                     \
            for (int64_t first = 0; first < B; first += block) {                                                        \
                int64_t rows = at_most(block, B - first);                                                               \
                for (int64_t t = T - 1; product && t >= 0; t--) {                                                       \
                    int64_t at = t * B + first;                                                                         \
                    for (int64_t i = 0; i < rows; i++)                                                                  \
                        backward_row_##ROWS(H, saved + (at + i) * 4 * H, states + (at + i) * H,                         \
                                            t < T - 1 ? product + i * H : 0, d_out ? d_out + (at + i) * H : 0,          \
                                            dh + (first + i) * H, d_recurrent + (at + i) * 3 * H, d_n + (at + i) * H,   \
                                            d_context ? d_context + (first + i) * 3 * H : 0);                           \
                    multiply_##NAME(multiply, rows, H, 3 * H, panel, d_recurrent + at * 3 * H, weight, product);        \
                }                                                                                                       \
                for (int64_t k = 0; product && T && k < rows * H; k++) dh[first * H + k] += product[k];                 \
            }                                                                                                           \
            free(product);                                                                                              \
            release(PACKED);                                                                                            \
        }                                                                                                               \
        return failed;                                                                                                  \
    }

/* ---- decoding: lanes of a thread write one molecule each and take the next when theirs has ended ---- */

/* A uniform number in (0, 1) that depends on seed, row and position alone (splitmix64, Steele et al. 2014), so that neither
 * threads nor batches change what is drawn. */
static inline uint64_t mix(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}
static inline float uniform(uint64_t seed, uint64_t row, uint64_t position) {
    uint64_t bits = mix(mix(seed + 0x9e3779b97f4a7c15ULL * (row + 1)) + 0x9e3779b97f4a7c15ULL * (position + 1));
    return ((float)(bits >> 41) + 0.5f) * 1.1920929e-7f; /* 23 bits, times 2^-23 */
}

/* Pick from logits [V] (-inf: never) the largest at temperature 0, else a draw from softmax(logits / temperature). `spare`
 * [V] is overwritten; the log probability at temperature 1 is added to *log_prob. */
static int64_t choose(int64_t V, const float *restrict logits, float *restrict spare, float temperature, float u,
                      int64_t fallback, double *log_prob) {
    float largest = -INFINITY, total = 0.0f;
    int64_t best = fallback;
    for (int64_t j = 0; j < V; j++)
        if (logits[j] > largest) { largest = logits[j]; best = j; }
    if (largest == -INFINITY) return fallback; /* not a number everywhere */
    for (int64_t j = 0; j < V; j++) spare[j] = logits[j] == -INFINITY ? 0.0f : exp_float(logits[j] - largest);
    for (int64_t j = 0; j < V; j++) total += spare[j];
    if (temperature > 0.0f) {
        float sum = total, scale = 1.0f / temperature, reached = 0.0f;
        if (temperature != 1.0f) {
            sum = 0.0f;
            for (int64_t j = 0; j < V; j++) {
                spare[j] = logits[j] == -INFINITY ? 0.0f : exp_float((logits[j] - largest) * scale);
                sum += spare[j];
            }
        }
        for (int64_t j = 0; j < V; j++) {
            reached += spare[j];
            if (spare[j] > 0.0f) best = j; /* the last one possible, should rounding leave the sum below the target */
            if (reached > u * sum) break;
        }
    }
    *log_prob += (double)(logits[best] - largest) - log((double)total);
    return best;
}

/* out [n] = bias [n] + x [m] weight [m, n] */
static void affine(int64_t m, int64_t n, const float *restrict x, const float *restrict weight, const float *restrict bias,
                   float *restrict out) {
    for (int64_t j = 0; j < n; j++) out[j] = bias ? bias[j] : 0.0f;
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) out[j] += x[i] * weight[i * n + j];
}

/* The decoder's weights; D inputs z, V tokens, V_panels = V rounded up to whole panels. */
typedef struct {
    int64_t D, H, V, V_panels, panel, panel_out, start_token, end_token;
    const float *table;                              /* [V, 3H] */
    const float *initial, *initial_bias;             /* [D, H], [H]: h0 = tanh(z initial + bias) */
    const float *context;                            /* [D, 3H]: z's part of the gate inputs */
    const float *bias_hn, *output_bias;              /* [H], [V] with -inf for what is never written */
    const void *weight, *output;                     /* panels of [H, 3H] and [H, V_panels] in STORAGE */
} decoder;

#define DEFINE_DECODE(NAME, ROWS, STORAGE)                                                                              \
    /* z [N, D]; ids [N, max_length] filled with padding by the caller; log_prob [N]. Returns 1 if memory ran out. */   \
    int run_decode_##NAME(int64_t N, int64_t max_length, int64_t lanes, const decoder *net, const float *z,             \
                          float temperature, uint64_t seed, int64_t first_row, int64_t *ids, float *log_prob,           \
                          product_##NAME multiply, release_function release) {                                          \
        int64_t D = net->D, H = net->H, V = net->V, next = 0;                                                           \
        int failed = 0;                                                                                                 \
        _Pragma("omp parallel reduction(|| : failed)") {                                                                \
            float *h = scratch(lanes * H), *product = scratch(lanes * 3 * H), *context = scratch(lanes * 3 * H);        \
            float *logits = scratch(lanes * net->V_panels), *spare = scratch(V);                                        \
            STORAGE *state = scratch(lanes * H);                                                                        \
            int64_t row[64], position[64], token[64], active = 0;                                                       \
            double total[64];                                                                                           \
            bool ready = h && product && context && logits && spare && state;                                           \
            if (ready) memset(state, 0, (size_t)(lanes * H) * sizeof(STORAGE));                                         \
            else failed = 1;                                                                                            \
            while (ready) {                                                                                             \
                while (active < lanes) {                                                                                \
                    int64_t mine;                                                                                       \
                    _Pragma("omp atomic capture") mine = next++;                                                        \
                    if (mine >= N) break;                                                                               \
                    float *one = h + active * H;                                                                        \
                    affine(D, H, z + mine * D, net->initial, net->initial_bias, one);                                   \
                    for (int64_t j = 0; j < H; j++) one[j] = tanh_float(one[j]);                                        \
                    for (int64_t j = 0; j < H; j++) state[active * H + j] = STORE_##NAME(one[j]);                       \
                    affine(D, 3 * H, z + mine * D, net->context, 0, context + active * 3 * H);                          \
                    row[active] = mine, position[active] = 0, token[active] = net->start_token, total[active] = 0.0;    \
                    active++;                                                                                           \
                }                                                                                                       \
                if (!active) break;                                                                                     \
                int64_t rows = (active + 15) / 16 * 16; /* few sizes: the product is compiled for each */               \
                multiply_##NAME(multiply, rows, 3 * H, H, net->panel, state, net->weight, product);                     \
                for (int64_t i = 0; i < active; i++)                                                                    \
                    forward_row_##ROWS(H, net->table + token[i] * 3 * H, context + i * 3 * H, product + i * 3 * H,      \
                                       net->bias_hn, h + i * H, state + i * H, 0);                                      \
                multiply_##NAME(multiply, rows, net->V_panels, H, net->panel_out, state, net->output, logits);          \
                for (int64_t i = active - 1; i >= 0; i--) {                                                             \
                    float *own = logits + i * net->V_panels;                                                            \
                    for (int64_t j = 0; j < V; j++) own[j] += net->output_bias[j];                                      \
                    float u = temperature > 0.0f ? uniform(seed, (uint64_t)(first_row + row[i]), (uint64_t)position[i]) : 0.0f; \
                    token[i] = choose(V, own, spare, temperature, u, net->end_token, total + i);                        \
                    ids[row[i] * max_length + position[i]++] = token[i];                                                \
                    if (token[i] != net->end_token && position[i] < max_length) continue;                               \
                    log_prob[row[i]] = (float)total[i];                                                                 \
                    int64_t last = --active; /* the last lane, already served, moves here */                            \
                    if (last == i) continue;                                                                            \
                    memcpy(h + i * H, h + last * H, (size_t)H * 4);                                                     \
                    memcpy(state + i * H, state + last * H, (size_t)H * sizeof(STORAGE));                               \
                    memcpy(context + i * 3 * H, context + last * 3 * H, (size_t)H * 12);                                \
                    row[i] = row[last], position[i] = position[last], token[i] = token[last], total[i] = total[last];   \
                }                                                                                                       \
            }                                                                                                           \
            free(h), free(product), free(context), free(logits), free(spare), free(state);                              \
            release(PACKED_##NAME);                                                                                     \
        }                                                                                                               \
        return failed;                                                                                                  \
    }

#define STORE_bf16 store_bf16
#define STORE_f32 store_f32
#define PACKED_bf16 true
#define PACKED_f32 false

DEFINE_ROWS(bf16, bf16, load_bf16, store_bf16, bf16, load_bf16)
DEFINE_ROWS(mixed, bf16, load_bf16, store_bf16, float, load_f32)
DEFINE_ROWS(f32, float, load_f32, store_f32, float, load_f32)
DEFINE_STEPS(bf16, bf16)
DEFINE_STEPS(f32, float)
DEFINE_RUNS(bf16, mixed, bf16, true)
DEFINE_RUNS(f32, f32, float, false)
DEFINE_DECODE(bf16, mixed, bf16)
DEFINE_DECODE(f32, f32, float)

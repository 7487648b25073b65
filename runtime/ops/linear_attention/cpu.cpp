// linear_attention and its backward, CPU
// math:     attributes.h; forward in the form of chunk.h. Backward token by token from the end, with dS the gradient of
//           S: dS += q doutᵀ,  du = dSᵀ k,  dk = dS u,  dv = beta du,  dq = S_t dout,  dbeta = du·(v - known), dw =
//           -beta du (delta rule),  dk += a S_before dw,  da = dS·S_before + k·S_before dw,  dS = a (dS + k dwᵀ)
// shapes:   q, k [T,Hk,dk], v, out [T,Hv,dv], log_decay, beta [T,Hv], skip [Hv] f32, segment_begin [T] i32
// traffic:  forward about 6·dk·dv + 128·(dk + dv) flops per token and head; backward 22·dk·dv, S in L2
// mapping:  forward: (document, value head) pairs dealt out; backward: key heads dealt out, whose value heads add to
//           the same dq and dk in order
// needs:    nothing; backward keeps S at every 64th token and for 64 tokens per thread
// numerics: fp32; a document's bits depend on its own tokens only
#include "runtime/ops/linear_attention/linear_attention.h"

#include "runtime/kernels/isa.h"
#include "runtime/kernels/thread_scratch.h"
#include "runtime/ops/linear_attention/chunk.h"

namespace hearth::HEARTH_ISA {
namespace {

int64_t document_end(const int32_t* segment_begin, int64_t begin, int64_t T) {
  int64_t end = begin + 1;
  while (end < T && segment_begin[end] == segment_begin[begin]) ++end;
  return end;
}

void run_forward(const KernelArgs& args, const Worker& me) {
  const LinearOperands p(args, static_cast<const LinearAttention&>(*args.op).heads, 6);
  const int64_t T = args.inputs[0].dim(0), state_size = p.dk * p.dv;
  float* S = thread_scratch(static_cast<size_t>(state_size) + LinearChunks::scratch_floats(p));
  LinearChunks chunks(p, S + state_size, args.outputs[0].f32());
  int64_t unit = 0;
  for (int64_t begin = 0; begin < T;) {
    const int64_t end = document_end(args.inputs[5].i32(), begin, T);
    for (int64_t h = 0; h < p.Hv; ++h) {
      if (unit++ % me.size != me.rank) continue;
      memset(S, 0, static_cast<size_t>(state_size) * 4);
      chunks.run(begin, end, h, S);
    }
    begin = end;
  }
}

// ---- backward ----

constexpr int64_t kKept = 64;  // tokens whose states are kept at a time

class Backward {
 public:
  Backward(const KernelArgs& args, const LinearOperands& p)
      : p_(p),
        T_(args.inputs[0].dim(0)),
        size_(p.dk * p.dv),
        segment_begin_(args.inputs[5].i32()),
        dout_(args.inputs[6].f32()),
        dq_(args.outputs[0].f32()),
        dk_(args.outputs[1].f32()),
        dv_(args.outputs[2].f32()),
        dlog_decay_(args.outputs[3].f32()),
        dbeta_(args.outputs[4].f32()),
        dskip_(p.skip != nullptr ? args.outputs[5].f32() : nullptr) {
    const int64_t n_kept = T_ / kKept + 1 + kKept;
    const int64_t row = (p.dv + 15) / 16 * 16;
    float* scratch =
        thread_scratch(static_cast<size_t>((n_kept + 2) * size_ + 3 * row) + LinearChunks::scratch_floats(p));
    dS_ = scratch;
    S_ = dS_ + size_;
    at_chunk_ = S_ + size_;
    before_ = at_chunk_ + (T_ / kKept + 1) * size_;
    du_ = before_ + kKept * size_;
    dw_ = du_ + row;
    known_ = dw_ + row;
    chunk_scratch_ = known_ + row;
  }

  void run(const Worker& me) {
    for (int64_t kh = me.rank; kh < p_.Hk; kh += me.size) {
      for (int64_t t = 0; t < T_; ++t) {
        memset(dq_ + (t * p_.Hk + kh) * p_.dk, 0, static_cast<size_t>(p_.dk) * 4);
        memset(dk_ + (t * p_.Hk + kh) * p_.dk, 0, static_cast<size_t>(p_.dk) * 4);
      }
      for (int64_t i = 0; i < p_.Hv / p_.Hk; ++i) head(p_.value_head(kh, i));
    }
  }

 private:
  void head(int64_t h) {
    double dskip = 0;
    for (int64_t begin = 0; begin < T_;) {
      const int64_t end = document_end(segment_begin_, begin, T_);
      document(begin, end, h);
      if (dskip_ != nullptr)
        for (int64_t t = begin; t < end; ++t) dskip += dot(dout_ + p_.value(t, h), p_.v + p_.value(t, h), p_.dv);
      begin = end;
    }
    if (dskip_ != nullptr) dskip_[h] = static_cast<float>(dskip);
  }

  void document(int64_t begin, int64_t end, int64_t h) {
    const int64_t n_chunks = (end - begin + kKept - 1) / kKept;
    LinearChunks learner(p_, chunk_scratch_, nullptr);
    memset(S_, 0, static_cast<size_t>(size_) * 4);
    for (int64_t c = 0; c < n_chunks; ++c) {
      memcpy(at_chunk_ + c * size_, S_, static_cast<size_t>(size_) * 4);
      if (c + 1 < n_chunks)
        for (int64_t t = begin + c * kKept; t < begin + (c + 1) * kKept; ++t) advance(learner, t, h);
    }
    memset(dS_, 0, static_cast<size_t>(size_) * 4);
    for (int64_t c = n_chunks - 1; c >= 0; --c) {
      const int64_t first = begin + c * kKept, last = first + kKept < end ? first + kKept : end;
      memcpy(S_, at_chunk_ + c * size_, static_cast<size_t>(size_) * 4);
      for (int64_t t = first; t < last; ++t) {
        memcpy(before_ + (t - first) * size_, S_, static_cast<size_t>(size_) * 4);
        if (t + 1 < last) advance(learner, t, h);
      }
      for (int64_t t = last - 1; t >= first; --t) step(learner, t, h, before_ + (t - first) * size_);
    }
  }

  void advance(LinearChunks& learner, int64_t t, int64_t h) {
    const float decay = std::exp(p_.log_decay[p_.gate(t, h)]), *k = p_.k + p_.key(t, h);
    learner.learn(t, h, decay, S_);
    for (int64_t i = 0; i < p_.dk; ++i) {
      float *row = S_ + i * p_.dv, ki = k[i];
      over(0, p_.dv, [&](int64_t d, auto lanes) {
        store(row + d, load(row + d, lanes) * decay + load(learner.u() + d, lanes) * ki, lanes);
      });
    }
  }

  void step(LinearChunks& learner, int64_t t, int64_t h, const float* S) {
    const int64_t dv = p_.dv;
    const float a = std::exp(p_.log_decay[p_.gate(t, h)]), beta = p_.beta[p_.gate(t, h)];
    const float *q = p_.q + p_.key(t, h), *k = p_.k + p_.key(t, h), *v = p_.v + p_.value(t, h);
    const float* dout = dout_ + p_.value(t, h);
    learner.learn(t, h, a, S);
    memset(du_, 0, static_cast<size_t>(dv) * 4);
    memset(known_, 0, static_cast<size_t>(dv) * 4);
    for (int64_t i = 0; i < p_.dk; ++i) {
      add_scaled(dS_ + i * dv, q[i], dout, dv);
      add_scaled(du_, k[i], dS_ + i * dv, dv);
      if (p_.delta_rule) add_scaled(known_, a * k[i], S + i * dv, dv);
    }
    const float skip = p_.skip != nullptr ? p_.skip[h] : 0;
    float* dvalue = dv_ + p_.value(t, h);
    over(0, dv, [&](int64_t d, auto lanes) {
      const Vec du = load(du_ + d, lanes);
      store(dvalue + d, du * beta + load(dout + d, lanes) * skip, lanes);
      store(dw_ + d, p_.delta_rule ? du * -beta : Vec{}, lanes);
      store(known_ + d, load(v + d, lanes) - load(known_ + d, lanes), lanes);
    });
    dbeta_[p_.gate(t, h)] = dot(du_, known_, dv);
    dlog_decay_[p_.gate(t, h)] = a * keys(learner.u(), t, h, S, a);
  }

  // dq, dk and the step of dS; returns da.
  float keys(const float* u, int64_t t, int64_t h, const float* S, float a) {
    const int64_t dv = p_.dv;
    const float *k = p_.k + p_.key(t, h), *dout = dout_ + p_.value(t, h);
    const float u_dout = dot(u, dout, dv);
    float *dq = dq_ + p_.key(t, h), *dk = dk_ + p_.key(t, h);
    double da = 0;
    for (int64_t i = 0; i < p_.dk; ++i) {
      float* dS = dS_ + i * dv;
      const float* row = S + i * dv;
      const float ki = k[i], known = p_.delta_rule ? dot(row, dw_, dv) : 0;
      dq[i] += a * dot(row, dout, dv) + ki * u_dout;
      dk[i] += dot(dS, u, dv) + a * known;
      da += dot(dS, row, dv) + ki * known;
      over(0, dv,
           [&](int64_t d, auto lanes) { store(dS + d, (load(dS + d, lanes) + load(dw_ + d, lanes) * ki) * a, lanes); });
    }
    return static_cast<float>(da);
  }

  const LinearOperands& p_;
  const int64_t T_, size_;
  const int32_t* segment_begin_;
  const float* dout_;
  float *dq_, *dk_, *dv_, *dlog_decay_, *dbeta_, *dskip_;
  float *dS_, *S_, *at_chunk_, *before_;  // [dk][dv]; at_chunk_ before every 64th token, before_ each of 64 tokens
  float *du_, *dw_, *known_, *chunk_scratch_;
};

void run_backward(const KernelArgs& args, const Worker& me) {
  const LinearOperands p(args, static_cast<const LinearAttentionBackward&>(*args.op).heads, 7);
  Backward(args, p).run(me);
}

}  // namespace

template <>
Kernel kernel_for(const LinearAttention&, Types) {
  return {run_forward};
}
template <>
Kernel kernel_for(const LinearAttentionBackward&, Types) {
  return {run_backward};
}

}  // namespace hearth::HEARTH_ISA

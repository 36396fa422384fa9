// jax-js's side of bench/javascript.ts: AdamW steps of the MLP, jitted. Prints the milliseconds of each.
import {
  blockUntilReady,
  defaultDevice,
  init,
  jit,
  nn,
  numpy as np,
  random,
  valueAndGrad,
} from '@jax-js/jax';

const [batch, widths, steps] = JSON.parse(process.argv[2]);
await init('wasm');
defaultDevice('wasm');

const inputs = random.normal(random.key(1), [batch, widths[0]]);
const classes = widths.at(-1);
const target = nn.oneHot(
  np.array(
    Int32Array.from({ length: batch }, (_, i) => i % classes),
    { dtype: np.int32 },
  ),
  classes,
);
const layers = widths.slice(1).map((outputs, i) => ({
  w: random.normal(random.key(i + 2), [widths[i], outputs]).mul(Math.sqrt(2 / widths[i])),
  b: np.zeros([outputs]),
}));
const zeros = () => layers.map(({ w, b }) => ({ w: np.zeros(w.shape), b: np.zeros(b.shape) }));

function lossOf(parameters, x, y) {
  let hidden = x;
  parameters.forEach(({ w, b }, i) => {
    hidden = np.matmul(hidden, w).add(b);
    if (i < parameters.length - 1) hidden = nn.relu(hidden);
  });
  return nn
    .logSoftmax(hidden)
    .mul(y)
    .sum()
    .mul(-1 / batch);
}

const gradient = valueAndGrad(lossOf);
const step = jit((parameters, ms, vs, x, y, rate) => {
  const [loss, grads] = gradient(
    parameters.map(({ w, b }) => ({ w: w.ref, b: b.ref })),
    x,
    y,
  );
  const next = { parameters: [], ms: [], vs: [] };
  parameters.forEach((layer, i) => {
    const [p, m2, v2] = [{}, {}, {}];
    for (const key of ['w', 'b']) {
      const g = grads[i][key];
      m2[key] = ms[i][key].mul(0.9).add(g.ref.mul(0.1));
      v2[key] = vs[i][key].mul(0.999).add(np.square(g).mul(0.001));
      const change = m2[key].ref.div(np.sqrt(v2[key].ref).add(1e-8)).mul(rate.ref);
      p[key] = layer[key].mul(key === 'w' ? 0.999999 : 1).sub(change);
    }
    next.parameters.push(p);
    next.ms.push(m2);
    next.vs.push(v2);
  });
  rate.dispose();
  return { loss, ...next };
});

let state = { parameters: layers, ms: zeros(), vs: zeros() };
const times = [];
let loss;
for (let i = 0; i < steps; i++) {
  const start = performance.now();
  const { loss: value, ...next } = step(
    state.parameters,
    state.ms,
    state.vs,
    inputs.ref,
    target.ref,
    np.array(1e-4),
  );
  state = next;
  await blockUntilReady(state.parameters);
  loss = await value.jsAsync();
  times.push(performance.now() - start);
}
console.log(JSON.stringify({ times, loss }));
process.exit(0);

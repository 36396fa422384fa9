// TensorFlow.js's side of bench/javascript.ts: Adam steps of the MLP on its WASM backend. Prints the milliseconds of each.
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';

const [batch, widths, steps] = JSON.parse(process.argv[2]);
await tf.setBackend('wasm');

const inputs = tf.randomNormal([batch, widths[0]]);
const classes = widths.at(-1);
const labels = tf.oneHot(
  tf.tensor1d(
    Array.from({ length: batch }, (_, i) => i % classes),
    'int32',
  ),
  classes,
);
const layers = widths.slice(1).map((outputs, i) => ({
  w: tf.variable(tf.randomNormal([widths[i], outputs], 0, Math.sqrt(2 / widths[i]))),
  b: tf.variable(tf.zeros([outputs])),
}));
const target = tf.cast(labels, 'float32');

function lossOf() {
  let hidden = inputs;
  layers.forEach(({ w, b }, i) => {
    hidden = tf.add(tf.matMul(hidden, w), b);
    if (i < layers.length - 1) hidden = tf.relu(hidden);
  });
  return tf.mul(tf.sum(tf.mul(tf.logSoftmax(hidden), target)), -1 / batch);
}

const optimizer = tf.train.adam(1e-4);
const times = [];
let loss;
for (let i = 0; i < steps; i++) {
  const start = performance.now();
  const value = optimizer.minimize(lossOf, true);
  loss = (await value.data())[0];
  value.dispose();
  times.push(performance.now() - start);
}
console.log(JSON.stringify({ times, loss, threads: tf.env().get('WASM_HAS_MULTITHREAD_SUPPORT') }));

import type { Graph, TypedValue } from '../../onnx/graph.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { buildScan } from '../../onnx/scan.ts';
import { int64, type Tensor } from '../../onnx/tensor.ts';

/** The names of the weights, as the package's file has them; those of its network for 8000 samples a second. */
export const SILERO_WEIGHTS = {
  basis: 'stft.forward_basis_buffer',
  convolutions: [0, 1, 2, 3].map((layer) => `encoder.${layer}.reparam_conv`),
  recurrence: 'decoder.rnn',
  decision: 'decoder.decoder.2',
} as const;

/** Samples a second, of a frame, and those before it that the network hears with it. */
export const SILERO = { rate: 8000, frame: 256, context: 32 } as const;

/** Samples of a Fourier transform, from one to the next, and those that mirror the end of a frame. */
const STFT = { window: 128, hop: 64, mirrored: 32 };
const WIDTH = 128;
const STRIDES = [1, 2, 2, 1];

/**
 * Silero VAD v5 over whole windows: input `input_values`, float32 [batch, samples] at 8000 samples a second; output `logits`,
 * float32 [batch, frames, 2] (nobody speaks, somebody does), a frame being 256 samples. The same numbers as the package's
 * model gives when it is called frame by frame with its state carried on; what does not depend on the state is computed for
 * all frames at once.
 *
 * The network: magnitudes of a short Fourier transform, four convolutions, an LSTM cell, a linear layer.
 *
 * @param weights by their names in the file (`SILERO_WEIGHTS`)
 * @param samples of a window; whole frames
 */
export function buildSileroVad(weights: ReadonlyMap<string, Tensor>, samples: number): Graph {
  const frames = samples / SILERO.frame;
  if (!Number.isInteger(frames) || frames === 0) throw new Error(`${samples} samples are no whole frames`);
  const g = new GraphBuilder();
  const weight = (name: string) => {
    const content = weights.get(name);
    if (!content) throw new Error(`the model has no weights ${name}`);
    return g.initializer(name, content);
  };
  const waveform = g.input('input_values', 'float32', ['batch', samples]);
  let hidden = magnitudes(g, waveform, frames, weight(SILERO_WEIGHTS.basis));
  SILERO_WEIGHTS.convolutions.forEach((layer, i) => {
    const attributes = { kernel_shape: [3], pads: [1, 1], strides: [STRIDES[i] as number] };
    hidden = g.relu(g.op('Conv', [hidden, weight(`${layer}.weight`), weight(`${layer}.bias`)], attributes));
  });
  // [batch * frames, width, 1]
  const heard = g.identity(g.reshape(hidden, [-1, frames, WIDTH]), 'heard');
  const states = recurrence(g, g.transpose(heard, [1, 0, 2]), (kind) =>
    weight(`${SILERO_WEIGHTS.recurrence}.${kind}`),
  );
  const last = g.relu(g.transpose(states, [1, 0, 2]));
  const decision = g.reshape(weight(`${SILERO_WEIGHTS.decision}.weight`), [WIDTH, 1]);
  const speech = g.add(g.matMul(last, decision), weight(`${SILERO_WEIGHTS.decision}.bias`));
  // The sigmoid of one number is the softmax of it and zero.
  g.output(g.concat([g.mul(speech, 0), speech], 2), 'logits');
  return g.build('silero-vad');
}

/** Magnitudes of the short Fourier transforms of each frame with what was before it: [batch * frames, 65, 4]. */
function magnitudes(g: GraphBuilder, waveform: TypedValue, frames: number, basis: TypedValue): TypedValue {
  const { frame, context } = SILERO;
  const length = context + frame;
  const places = Array.from({ length: frames }, (_, f) =>
    Array.from(
      { length: length + STFT.mirrored },
      (_, i) => f * frame + (i < length ? i : 2 * (length - 1) - i),
    ),
  ).flat();
  const index = g.constant(int64(places, [frames, length + STFT.mirrored]));
  const heard = g.gather(g.pad(waveform, 1, context, 0), index, 1);
  const each = g.reshape(heard, [-1, 1, length + STFT.mirrored]);
  const spectrum = g.op('Conv', [each, basis], { kernel_shape: [STFT.window], strides: [STFT.hop] });
  const bins = STFT.window / 2 + 1;
  const [real, imaginary] = [g.slice(spectrum, 1, 0, bins), g.slice(spectrum, 1, bins, 2 * bins)];
  return g.sqrt(g.add(g.square(real), g.square(imaginary)));
}

/**
 * An LSTM cell over frames, [frames, batch, width] to the same (Hochreiter and Schmidhuber, 1997), with gates in the order of
 * PyTorch: input, forget, cell, output.
 */
function recurrence(
  g: GraphBuilder,
  x: TypedValue,
  weight: (kind: 'weight_ih' | 'weight_hh' | 'bias_ih' | 'bias_hh') => TypedValue,
): TypedValue {
  const bias = g.add(weight('bias_ih'), weight('bias_hh'));
  const inputs = g.add(g.matMul(x, g.transpose(weight('weight_ih'), [1, 0])), bias);
  const recurrent = g.transpose(weight('weight_hh'), [1, 0]);
  const zeros = g.mul(g.squeeze(g.slice(x, 0, 0, 1), [0]), 0);
  const { outputs } = buildScan(
    g,
    { states: [zeros, zeros], scanned: [{ value: inputs }] },
    ({ g: b, states: [h, c], rows: [row], capture }) => {
      const gates = b.add(row as TypedValue, b.matMul(h as TypedValue, capture(recurrent)));
      const gate = (i: number) => b.slice(gates, 1, i * WIDTH, (i + 1) * WIDTH);
      const kept = b.mul(b.sigmoid(gate(1)), c as TypedValue);
      const cell = b.add(kept, b.mul(b.sigmoid(gate(0)), b.tanh(gate(2))));
      const next = b.mul(b.sigmoid(gate(3)), b.tanh(cell));
      return { states: [next, cell], outputs: [next] };
    },
  );
  return outputs[0] as TypedValue;
}

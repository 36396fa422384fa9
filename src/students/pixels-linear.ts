import { GraphBuilder } from '../onnx/graph-builder.ts';
import { ParameterMaker } from './parameters.ts';
import type { ImageStudentContext, Student } from './student.ts';

/**
 * A linear classifier over pixels: the peer that image students are compared with. Input `pixel_values`, float32
 * [batch, channels, height, width]; output `logits`, float32 [batch, classes]. It begins at zero.
 */
export function buildPixelsLinear({
  channels,
  height,
  width,
  classes,
  random,
}: ImageStudentContext): Student {
  const g = new GraphBuilder();
  const make = new ParameterMaker(g, random);
  const pixels = g.input('pixel_values', 'float32', ['batch', channels, height, width]);
  const count = channels * height * width;
  const flat = g.reshape(pixels, [-1, count]);
  const weight = make.constant('weight', [count, classes], 0);
  g.output(g.gemm(flat, weight, make.constant('bias', [classes], 0)), 'logits');
  return { graph: g.build('pixels-linear'), parameters: make.names };
}

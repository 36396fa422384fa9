import { type Tensor, tensor } from '../../onnx/tensor.ts';
import { LABELS, ROW_WEIGHTS } from '../columns.ts';

/** The columns of classes: `labels`, int32 [rows], and `row_weights`, float32 [rows], of which `filled` are samples. */
export function targetColumns(labels: Int32Array, filled: number): Record<string, Tensor> {
  const rows = labels.length;
  return {
    [LABELS]: tensor('int32', [rows], labels),
    [ROW_WEIGHTS]: tensor('float32', [rows], new Float32Array(rows).fill(1, 0, filled)),
  };
}

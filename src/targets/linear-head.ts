import type { AttachedHead } from './head.ts';
import { headScope } from './head-scope.ts';

/** A linear head for each sample as a whole: output `logits`, float32 [batch, width], unless another is named. */
export function linearHead(width: number, output = 'logits'): AttachedHead {
  return {
    output,
    features: 'pooled',
    attach: (_g, _make, features) => features.project(headScope(output), width),
  };
}

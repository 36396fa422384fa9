import type { AttachedHead } from './head.ts';

/** The scope in which a head's parameters lie: `classifier` for the main output of a classifier, as transformers has it. */
export function headScope(output: string): string {
  return output === 'logits' ? 'classifier' : `heads/${output}`;
}

/** A linear head for each sample as a whole: output `logits`, float32 [batch, width], unless another is named. */
export function linearHead(width: number, output = 'logits'): AttachedHead {
  return {
    output,
    features: 'pooled',
    attach: (_g, _make, features) => features.project(headScope(output), width),
  };
}

/** The scope in which a head's parameters lie: `classifier` for the main output of a classifier, as transformers has it. */
export function headScope(output: string): string {
  return output === 'logits' ? 'classifier' : `heads/${output}`;
}

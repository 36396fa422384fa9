/** `id2label` and `label2id`, as transformers has them. */
export function idsOf(names: readonly string[]): Record<string, unknown> {
  return {
    id2label: Object.fromEntries(names.map((name, i) => [`${i}`, name])),
    label2id: Object.fromEntries(names.map((name, i) => [name, i])),
    num_labels: names.length,
  };
}

/** Mean and spread (sample standard deviation) of one number over seeds. */
export interface Spread {
  readonly mean: number;
  readonly deviation: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0 };
}

/** `66.6 ± 0.4`: percents with their spread. */
export function percents(values: readonly number[]): string {
  const { mean, deviation } = spreadOf(values.map((value) => 100 * value));
  return `${mean.toFixed(1)} ± ${deviation.toFixed(1)}`;
}

/** `42.1 ± 0.8`, with so many digits. */
export function numbers(values: readonly number[], digits: number): string {
  const { mean, deviation } = spreadOf(values);
  return `${mean.toFixed(digits)} ± ${deviation.toFixed(digits)}`;
}

/** A Markdown table. */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const [head, ...body] = rows;
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, i) => (i === 0 ? '---' : '---:'));
  return [line(head), line(rule), ...body.map(line)].join('\n');
}

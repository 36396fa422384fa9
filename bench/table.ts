/** What a benchmark found of one model; times in milliseconds a step. */
export interface BenchResult {
  readonly name: string;
  readonly title: string;
  readonly goal: number;
  readonly parameters: number;
  readonly nodes: number;
  readonly ours: number;
  readonly theirs: number;
  /** Ours / PyTorch's: the median over the rounds, the least and the most. */
  readonly ratio: number;
  readonly least: number;
  readonly most: number;
  /** The largest sizes of both processes in bytes, and their ratio. */
  readonly memory?: { readonly ours: number; readonly theirs: number; readonly ratio: number };
  /** Whether the peer's side was measured before, elsewhere perhaps. */
  readonly recorded: boolean;
  readonly machine: string;
  readonly versions: string;
  readonly date: string;
}

const HEAD = [
  '| model | ours, ms | PyTorch, ms | ratio | over the rounds | goal | peak memory, MB | ratio |',
  '|---|---|---|---|---|---|---|---|',
];

/** The results as a table in markdown. */
export function markdownTable(results: readonly BenchResult[]): string {
  const rows = results.map((result) => {
    const { memory } = result;
    const megabytes = (bytes: number) => Math.round(bytes / 1e6);
    const cells = [
      result.title,
      result.ours.toFixed(0),
      result.recorded ? `(${result.date})` : result.theirs.toFixed(0),
      result.ratio.toFixed(2),
      `${result.least.toFixed(2)} to ${result.most.toFixed(2)}`,
      result.goal.toFixed(2),
      memory ? `${megabytes(memory.ours)} / ${megabytes(memory.theirs)}` : '',
      memory ? memory.ratio.toFixed(2) : '',
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [...HEAD, ...rows].join('\n');
}

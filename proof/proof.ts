/** A claim of the project, proved by real runs. */
export interface Proof {
  /** Its name on the command line and its section in docs/results.md. */
  readonly name: string;
  readonly title: string;
  /** Whether the README shows its table. */
  readonly inReadme?: boolean;
  run(log: (line: string) => void): Promise<{ table: string; text: string }>;
}

export const SEEDS = [1, 2, 3] as const;

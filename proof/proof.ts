/** A claim of the project, proved by real runs. */
export interface Proof {
  /** Its name on the command line and its section in docs/results.md. */
  readonly name: string;
  readonly title: string;
  /** Whether the README shows its table. */
  readonly inReadme?: boolean;
  run(log: (line: string) => void): Promise<ProofResult>;
}

export interface ProofResult {
  readonly table: string;
  readonly text: string;
  /** What the project promises of these numbers. One that does not hold fails `npm run proof`. */
  readonly claims: readonly Claim[];
}

export interface Claim {
  readonly text: string;
  readonly holds: boolean;
}

export const SEEDS = [1, 2, 3] as const;

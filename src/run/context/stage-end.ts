/** What a stage comes to: what it made, and a sentence for the person. */
export interface StageEnd<Value> {
  readonly value: Value;
  readonly summary: string;
}

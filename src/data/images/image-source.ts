/** One picture: bytes in the order channel, row, column, and its class. */
export interface Image {
  readonly pixels: Uint8Array;
  /** A position in the source's labels. */
  readonly label: number;
}

/** Pictures of one size with a class each, in the two parts that the data itself has. */
export interface ImageSource {
  /** For people: `Fashion-MNIST`. */
  readonly title: string;
  /** Changes when what it would give changes: a hash of its files. */
  readonly fingerprint: string;
  /**
   * What an image is known by: its pixels, or its position in a data set that was published once and never changes, where
   * that is its number everywhere.
   */
  readonly identity: 'content' | 'position';
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly labels: readonly string[];
  /** How many pictures there are. */
  readonly sizes: { readonly train: number; readonly test: number };
  /** @throws LimbeckError with the place of what is damaged. */
  read(part: 'train' | 'test'): AsyncIterable<Image>;
}

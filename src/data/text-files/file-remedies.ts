/** What can be done about a text file that cannot be read as it is: that depends on who names it. */
export interface FileRemedies {
  /** Of bytes that read well as another encoding; follows a semicolon or stands alone. */
  readonly encoding: (encoding: string) => string;
  /** Of quotes that are not closed; follows a semicolon. */
  readonly quotes: string;
  /** Of a file of another kind, as a sentence. */
  readonly kind: string;
}

/** Of files of a recipe's data, which has options for them. */
export const RECIPE_REMEDIES: FileRemedies = {
  encoding: (encoding) => `set encoding: ${encoding} under data.source`,
  quotes: 'if the file has no quoting, set quote: none',
  kind: 'Use the kind of source that fits the file: jsonl, csv, parquet, text-folder.',
};

/** Of files that a command is given as they are. */
export const FILE_REMEDIES: FileRemedies = {
  encoding: (encoding) => `save the file as UTF-8 (iconv -f ${encoding} -t utf-8)`,
  quotes: 'close it, and write a quote inside of a field twice',
  kind: 'Give a file of text, in UTF-8.',
};

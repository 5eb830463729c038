/** The hint of a usage error that has no better one. */
export const helpHint = (command?: string): string =>
  `see: streamlog ${command === undefined ? '' : `${command} `}--help`;

export const runningLocalServer = (_: string): {url: string} | undefined => undefined;

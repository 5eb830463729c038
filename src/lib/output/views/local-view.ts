/** How the private server looks to a person. */
import type {LocalReport} from '../../local/local-server.js';
import {formatSize} from '../../size.js';
import type {Display} from '../display.js';
import {renderFacts} from '../table.js';

export const renderLocalServer = (report: LocalReport, display: Display): string =>
  renderFacts(
    [
      ['private server', report.pid === null ? 'not running' : `running, process ${report.pid}`],
      ['url', report.url],
      ['data', `${report.dataDirectory}  (${formatSize(report.bytes)})`],
      ['log', report.logFile],
    ],
    display,
  );

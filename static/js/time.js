// Owns keeping <time data-relative> true while a page stays open. Never the first text: the server wrote it.

const steps = [
  ["year", 31536000],
  ["month", 2592000],
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];
const words = new Intl.RelativeTimeFormat("en", { numeric: "always" });

const relative = (then, now) => {
  const seconds = (then - now) / 1000;
  const step = steps.find(([, size]) => Math.abs(seconds) >= size);
  return step ? words.format(Math.trunc(seconds / step[1]), step[0]) : "just now";
};

const refresh = () => {
  for (const time of document.querySelectorAll("time[data-relative]")) {
    const then = Date.parse(time.dateTime);
    if (!Number.isNaN(then)) time.textContent = relative(then, Date.now());
  }
};

setInterval(refresh, 30000);

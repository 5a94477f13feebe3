/** People and programs on the left, engines on the right, and the gate that each stream passes. */
export function FlowPicture({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 520 360" fill="none" className={className} role="img" aria-label="People and programs reach Flowise and NFlow through one gate">
      <g stroke="var(--line-strong)" strokeOpacity=".45" strokeWidth="1.25">
        {[262, 284, 302, 317, 329].map((y, i) => <path key={y} d={`M0 ${y}${Array.from({ length: 13 }, (_, n) => `q20 ${n % 2 ? 6 - i : -6 + i} 40 0`).join("")}`} />)}
      </g>
      <g stroke="var(--primary)" strokeWidth="2" strokeLinecap="round">
        <path d="M104 98C150 98 160 150 212 150" />
        <path d="M104 214C150 214 160 166 212 166" />
        <path d="M308 150C360 150 370 98 428 98" strokeDasharray="1 7" />
        <path d="M308 166C360 166 370 214 428 214" strokeDasharray="1 7" />
      </g>
      <path d="M206 330V52h108v278" stroke="var(--foreground)" strokeWidth="6" strokeLinejoin="round" />
      <rect x="224" y="78" width="72" height="52" rx="4" fill="var(--brass)" />
      <path d="M224 95h72M224 113h72" stroke="var(--background)" strokeOpacity=".55" strokeWidth="2" />
      <path d="M260 52v26" stroke="var(--brass)" strokeWidth="6" />
      <path d="M212 158h96" stroke="var(--primary)" strokeWidth="18" strokeOpacity=".16" />
      <path d="M212 150h96M212 166h96" stroke="var(--primary)" strokeWidth="2" />
      <g fill="var(--foreground)" fontWeight="600" className="text-[15px] max-sm:text-[22px]">
        <text x="0" y="94">People</text>
        <text x="0" y="210">Programs</text>
        <text x="440" y="94">Flowise</text>
        <text x="440" y="210">NFlow</text>
      </g>
      <g fill="var(--muted)" className="text-[13px] max-sm:text-[18px]">
        <text x="0" y="115">Keycloak</text>
        <text x="0" y="231">API key</text>
        <text x="440" y="115">as you</text>
        <text x="440" y="231">as you</text>
      </g>
    </svg>
  );
}

FROM python:3.13-slim AS builder
COPY requirements/image.txt /tmp/requirements.txt
RUN python -m venv --without-pip /opt/venv \
    && pip --python /opt/venv/bin/python install --no-cache-dir --disable-pip-version-check \
        --only-binary :all: --require-hashes --requirement /tmp/requirements.txt
COPY bot /opt/quietlegs/bot
COPY handlers /opt/quietlegs/handlers
COPY content /opt/quietlegs/content
# The root may be read-only later, so the bytecode is written now.
RUN /opt/venv/bin/python -m compileall -q /opt/quietlegs

FROM python:3.13-slim
LABEL org.opencontainers.image.title="Quietlegs" \
      org.opencontainers.image.licenses="MIT"
# An empty PYTHONTZPATH makes the pinned zone rules win over the system's.
ENV PATH="/opt/venv/bin:$PATH" \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH=/opt/quietlegs \
    PYTHONSAFEPATH=1 \
    PYTHONTZPATH="" \
    PYTHONUNBUFFERED=1 \
    DATABASE_URL=sqlite:////data/quietlegs.db
RUN install -d -o 10001 -g 10001 -m 0700 /data
COPY --from=builder /opt/venv /opt/venv
COPY --from=builder /opt/quietlegs /opt/quietlegs
COPY LICENSE /opt/quietlegs/LICENSE
WORKDIR /data
VOLUME /data
USER 10001:10001
STOPSIGNAL SIGTERM
# Unhealthy once the tick has not come round for too long: a silent bot is a failed alarm.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 CMD ["python", "-m", "bot", "health"]
ENTRYPOINT ["python", "-m", "bot"]
CMD ["run"]

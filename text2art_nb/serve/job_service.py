"""The parts that the web page, the API and the Firestore bridge share, on one database and one store."""

import sqlalchemy as sa

from text2art_nb.serve.config import Config
from text2art_nb.serve.gallery import Gallery
from text2art_nb.serve.job_feed import JobFeed
from text2art_nb.serve.limits import RateLimiter
from text2art_nb.serve.queue import Queue, make_queue
from text2art_nb.serve.store import Store
from text2art_nb.serve.submissions import Submissions
from text2art_nb.serve.tables import engine_for, gate, make_tables
from text2art_nb.serve.visitors import VisitorHash


class JobService:
    """Open a service's database and store. Any number of processes may open the same one.

    Attributes:
        submissions: submit and cancel jobs.
        feed: read jobs, their files and their events.
        gallery: list and like published pictures.

    Raises:
        Text2ArtError: the database or the store is not available.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        config.data.mkdir(parents=True, exist_ok=True)
        self.engine = engine_for(config)
        make_queue(self.engine)
        make_tables(self.engine)
        self.store = Store(config)
        self.rate_limiter = RateLimiter(config.limits)
        with self.engine.connect() as connection:
            visitor_hash = VisitorHash(connection.execute(sa.select(gate.c.salt)).scalar_one())
        self._queue = Queue(self.engine)
        self.feed = JobFeed(config, self.engine, self.store)
        self.submissions = Submissions(config, self.engine, self._queue, self.feed, self.rate_limiter, visitor_hash)
        self.gallery = Gallery(self.engine, visitor_hash)

    def close(self) -> None:
        """Disconnect from the database."""
        self._queue.close()
        self.engine.dispose()

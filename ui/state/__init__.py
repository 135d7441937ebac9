"""What a view shows, as a model and as a link, kept between pages."""
